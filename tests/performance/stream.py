"""Measure the time from a report to its event on every stream, and the memory use of idle streams."""

import argparse
import time
from datetime import UTC, datetime
from uuid import uuid4

import requests

from shared.contracts.calls.events import call_id
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.performance.listeners import StreamClients
from tests.performance.memory import _resident
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied, eventually

LISTENERS, REPORTS = 200, 50
IDLE, LIMIT = 1000, 200.0


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    """Half of the clients see all calls; the calls belong to one operator, who listens too."""
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = next(system.start(stack, services, {}))
        gateway = world.processes["gateway"].process.pid
        admin, operators = company.sign_in(stack, "admin"), [company.sign_in(stack, f"op{n}") for n in range(101, 121)]
        bare = _resident(gateway)
        clients = StreamClients(company.address(stack), [admin, *operators] * (IDLE // 21) + [admin] * (IDLE % 21))
        time.sleep(3)
        idle = _resident(gateway)
        clients.close()
        time.sleep(2)
        clients = StreamClients(company.address(stack), [admin] * (LISTENERS // 2) + operators * (LISTENERS // 40))
        waits = _waits(stack, clients)
        clients.close()
    typical, most = median(waits) * 1000, sorted(waits)[int(len(waits) * 0.95)] * 1000
    return [
        Figure(
            f"{IDLE:,} idle listeners in one process",
            f"{idle:.0f} MiB ({bare:.0f} before)",
            f"{LIMIT:.0f} MiB",
            idle <= LIMIT,
        ),
        Figure(f"report in to event out, {LISTENERS} listeners, median", f"{typical:.0f} ms", "150 ms", typical <= 150),
        Figure("the same, 95th percentile", f"{most:.0f} ms"),
    ]


def _waits(stack: Stack, clients: StreamClients) -> list[float]:
    """Seconds from sending a report to the arrival of its event, for each report and client."""
    session, waits = requests.Session(), list[float]()
    told = LISTENERS // 2 + LISTENERS // 40
    for _ in range(REPORTS):
        call = uuid4().hex
        placed = {"direction": "outbound", "caller": "101", "callee": "+380501112233"}
        report = company._report(call, "placed", datetime.now(UTC), placed)
        key = str(call_id(company.TENANT, call))
        began = time.monotonic()
        company.send(session, stack, [report])
        eventually(lambda key=key: len(clients.arrived[key]) >= told, 10)
        waits += [arrived - began for arrived in clients.arrived[key]]
    return waits
