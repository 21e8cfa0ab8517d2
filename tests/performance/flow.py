"""Reports to visible journal rows, against the same flow in the stock Nameko idiom."""

import argparse
import json
import threading
import time
from uuid import uuid4

import psycopg
import requests
from kombu import Connection

from shared.plumbing.publisher import Outgoing
from shared.testing import system
from shared.testing.infrastructure import Broker, Services, Stack, emptied
from tests.performance import company
from tests.performance.figures import Figure

OURS, STOCK = 6000, 250
BATCH, SENDERS = 500, 2
TOLD_OF = "select coalesce(sum(version), 0) from journal"
PATIENCE = 300.0


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    stock = _stock(stack, services)
    ours = _ours(stack, services)
    return [
        Figure("reports to visible rows, everything on this machine", f"{ours:,.0f} events/s", "1,000", ours >= 1000),
        Figure("the same in stock Nameko idiom", f"{stock:,.0f} events/s"),
        Figure("ratio", f"{ours / stock:.1f}", "8", ours / stock >= 8),
    ]


def _stock(stack: Stack, services: Services) -> float:
    admin = {"AMQP_URI": stack.admin_uri}
    with Connection(stack.admin_uri) as connection:
        for exchange in ("stock_gateway.events", "stock_calls.events"):
            connection.default_channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    target = "tests.performance.stock:"
    running = [
        services.start(f"{target}StockCalls", of="calls", **admin),
        services.start(f"{target}StockProjector", of="gateway", **admin),
    ]
    told = company.reports(STOCK, uuid4().hex)
    with emptied(stack, "calls"), emptied(stack, "gateway"):
        began = time.monotonic()
        Broker(stack.admin_uri).publish(*[Outgoing("stock_gateway.events", "report", json.dumps(one)) for one in told])
        _wait_until_shown(stack, len(told))
        speed = len(told) / (time.monotonic() - began)
    for service in running:
        service.kill()
    return speed


def _ours(stack: Stack, services: Services) -> float:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.found(gateway_db)
        world = system.start(stack, services, {})
        next(world)
        told = company.reports(OURS, uuid4().hex)
        batches = [told[start : start + BATCH] for start in range(0, len(told), BATCH)]
        senders = [threading.Thread(target=_send, args=(stack, batches[n::SENDERS])) for n in range(SENDERS)]
        began = time.monotonic()
        for sender in senders:
            sender.start()
        _wait_until_shown(stack, len(told))
        return len(told) / (time.monotonic() - began)


def _send(stack: Stack, batches: list[list[company.Json]]) -> None:
    session = requests.Session()
    for batch in batches:
        company.send(session, stack, batch)


def _wait_until_shown(stack: Stack, reports: int) -> None:
    """A row's version counts the events of its call; returned calls have one event more than reports."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(stack.env("gateway")["DATABASE_URL"], autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute(TOLD_OF).fetchone()
            if row and row[0] >= reports:
                return
            time.sleep(0.1)
    raise TimeoutError(f"{reports} reports were not shown within {PATIENCE:g} s")
