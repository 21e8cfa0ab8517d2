"""How soon a single report is in the journal at light load."""

import argparse
import time
from datetime import UTC, datetime
from uuid import uuid4

import requests

from shared.contracts.calls.events import call_id
from shared.testing import system
from shared.testing.infrastructure import Services, Stack, emptied
from tests.performance import company
from tests.performance.figures import Figure, median

REPORTS = 100


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.found(gateway_db)
        world = system.start(stack, services, {})
        next(world)
        headers = company.sign_in(stack, "admin")
        session = requests.Session()
        waits = [_visible_after(session, stack, headers) for _ in range(REPORTS)]
    typical = median(waits) * 1000
    worst = sorted(waits)[int(len(waits) * 0.95)] * 1000
    return [
        Figure("a single report, from POST to GET, median", f"{typical:.0f} ms", "150 ms", typical <= 150),
        Figure("the same, 95 of 100 within", f"{worst:.0f} ms"),
    ]


def _visible_after(session: requests.Session, stack: Stack, headers: dict[str, str]) -> float:
    call = uuid4().hex
    placed = {"direction": "outbound", "caller": "101", "callee": "+380501112233"}
    report = company._report(call, "placed", datetime.now(UTC), placed)
    url = f"{company.address(stack)}/calls/{call_id(company.TENANT, call)}"
    began = time.monotonic()
    company.send(session, stack, [report])
    while session.get(url, headers=headers, timeout=10).status_code != 200:
        time.sleep(0.002)
    waited = time.monotonic() - began
    time.sleep(0.1)
    return waited
