"""Measure reports to visible journal rows, compared with the same flow on stock Nameko."""

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from statistics import median
from uuid import uuid4

import psycopg
import requests
from kombu import Connection

from tests.performance import company
from tests.performance.figures import Figure
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied, free_port

OURS, STOCK = 6000, 250
ROUNDS = 3
BATCH, SENDERS = 500, 2
TURNS = re.compile(r'journal_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
TOLD_OF = "select coalesce(sum(version), 0) from journal"
PATIENCE = 300.0


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    # Alternating, because the speed of the machine changes over time for both.
    late: Counter[str] = Counter()
    rounds = [(_stock(stack, services), _ours(stack, services, late)) for _ in range(ROUNDS)]
    stock, ours = (median(speeds) for speeds in zip(*rounds, strict=True))
    return [
        Figure("reports to visible rows", f"{ours:,.0f} events/s", "1,000", ours >= 1000),
        Figure("the same with stock Nameko", f"{stock:,.0f} events/s"),
        Figure("ratio", f"{ours / stock:.1f}", "8", ours / stock >= 8),
        Figure(
            "meanwhile, turns of the hubs that come no more than 50 ms late",
            f"{late['0.05'] / late['+Inf']:.2%}, and {late['0.25'] / late['+Inf']:.2%} no more than 250 ms",
            "none 500 ms",
            late["0.5"] == late["+Inf"],
        ),
    ]


def _stock(stack: Stack, services: Services) -> float:
    port = free_port()
    admin = {"AMQP_URI": stack.admin_uri, "WEB_ADDRESS": f"127.0.0.1:{port}"}
    with Connection(stack.admin_uri) as connection:
        for exchange in ("stock_gateway.events", "stock_calls.events"):
            connection.default_channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    owners = {"StockCalls": "calls", "StockProjector": "gateway", "StockGateway": "gateway"}
    running = [services.start(f"tests.performance.stock:{name}", of=of, **admin) for name, of in owners.items()]
    with emptied(stack, "calls"), emptied(stack, "gateway"):
        speed = _speed(stack, STOCK, lambda batch: _post(f"http://127.0.0.1:{port}/reports", batch))
    for service in running:
        service.kill()
    return speed


def _post(url: str, batch: list[company.Json]) -> None:
    requests.post(url, json=batch, timeout=PATIENCE).raise_for_status()


def _ours(stack: Stack, services: Services, late: Counter[str]) -> float:
    """Add the event loop delays to `late`: turns by the upper bound of their delay in seconds."""
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = system.start(stack, services, {})
        next(world)
        session = requests.Session()
        late.subtract(_turns(stack))
        speed = _speed(stack, OURS, lambda batch: company.send(session, stack, batch))
        late.update(_turns(stack))
    services.stop()
    return speed


def _turns(stack: Stack) -> Counter[str]:
    host, _, ports = stack.env("calls")["METRICS_ADDRESS"].rpartition(":")
    first, last = map(int, ports.split("-"))
    turns: Counter[str] = Counter()
    for port in range(first, last + 1):
        with suppress(requests.ConnectionError):
            told = requests.get(f"http://{host}:{port}/metrics", timeout=5).text
            turns.update({at_most: int(float(many)) for at_most, many in TURNS.findall(told)})
    return turns


def _speed(stack: Stack, calls: int, send: Callable[[list[company.Json]], None]) -> float:
    """Reports per second, from the first POST until the last report is visible."""
    told = company.reports(calls, uuid4().hex)
    batches = [told[start : start + BATCH] for start in range(0, len(told), BATCH)]
    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, batches))
    wait_until_visible(stack, len(told))
    return len(told) / (time.monotonic() - began)


def wait_until_visible(stack: Stack, reports: int) -> None:
    """Wait until the versions of all rows, which count events, add up to the reports (returned calls have one more)."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(stack.env("gateway")["DATABASE_URL"], autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute(TOLD_OF).fetchone()
            if row and row[0] >= reports:
                return
            time.sleep(0.1)
    raise TimeoutError(f"{reports} reports were not shown within {PATIENCE:g} s")
