"""How soon a report is with everybody who listens, and what idle listeners weigh."""

import argparse
import time
from datetime import UTC, datetime
from uuid import uuid4

import requests

from shared.contracts.calls.events import call_id
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.performance.listeners import Crowd
from tests.performance.memory import _resident
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied, eventually

LISTENERS, REPORTS = 200, 50
IDLE, BAR = 1000, 200.0


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    """Half of the listeners see all calls; the calls are of one operator, who listens too."""
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.found(gateway_db)
        world = next(system.start(stack, services, {}))
        gateway = world.processes["gateway"].process.pid
        admin, operators = company.sign_in(stack, "admin"), [company.sign_in(stack, f"op{n}") for n in range(101, 121)]
        bare = _resident(gateway)
        crowd = Crowd(company.address(stack), [admin, *operators] * (IDLE // 21) + [admin] * (IDLE % 21))
        time.sleep(3)
        idle = _resident(gateway)
        crowd.close()
        time.sleep(2)
        crowd = Crowd(company.address(stack), [admin] * (LISTENERS // 2) + operators * (LISTENERS // 40))
        waits = _waits(stack, crowd)
        crowd.close()
    typical, most = median(waits) * 1000, sorted(waits)[int(len(waits) * 0.95)] * 1000
    return [
        Figure(
            f"{IDLE:,} idle listeners in one process",
            f"{idle:.0f} MiB ({bare:.0f} before)",
            f"{BAR:.0f} MiB",
            idle <= BAR,
        ),
        Figure(f"report in to event out, {LISTENERS} listeners, median", f"{typical:.0f} ms", "150 ms", typical <= 150),
        Figure("the same, 95 of 100 within", f"{most:.0f} ms"),
    ]


def _waits(stack: Stack, crowd: Crowd) -> list[float]:
    """For each report and each listener who is told of it: how long after the report was sent."""
    session, waits = requests.Session(), list[float]()
    told = LISTENERS // 2 + LISTENERS // 40
    for _ in range(REPORTS):
        call = uuid4().hex
        placed = {"direction": "outbound", "caller": "101", "callee": "+380501112233"}
        report = company._report(call, "placed", datetime.now(UTC), placed)
        key = str(call_id(company.TENANT, call))
        began = time.monotonic()
        company.send(session, stack, [report])
        eventually(lambda key=key: len(crowd.arrived[key]) >= told, 10)
        waits += [arrived - began for arrived in crowd.arrived[key]]
    return waits
