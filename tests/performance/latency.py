"""How soon a single report is in the journal: alone, and among a hundred a second."""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import requests

from shared.contracts.calls.events import call_id
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied

REPORTS = 100
A_SECOND, TOGETHER, OTHERS = 100, 10, 3000
"""The reports that come meanwhile: how many a second, how many at once, and of how many calls at most."""


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.found(gateway_db)
        world = system.start(stack, services, {})
        next(world)
        headers = company.sign_in(stack, "admin")
        session = requests.Session()
        waits = [_visible_after(session, stack, headers) for _ in range(REPORTS)]
        with _others(stack):
            busy = [_visible_after(session, stack, headers) for _ in range(REPORTS)]
    typical = median(waits) * 1000
    worst = sorted(waits)[int(len(waits) * 0.95)] * 1000
    late = sorted(busy)[-2] * 1000
    return [
        Figure("a single report, from POST to GET, median", f"{typical:.0f} ms", "150 ms", typical <= 150),
        Figure("the same, 95 of 100 within", f"{worst:.0f} ms"),
        Figure("the same among 100 others a second, 99 of 100 within", f"{late:.0f} ms", "1 s", late <= 1000),
    ]


@contextmanager
def _others(stack: Stack) -> Iterator[None]:
    """A hundred reports a second, as long as the block goes on."""
    over, told = threading.Event(), company.reports(OTHERS, uuid4().hex)

    def tell() -> None:
        session, began = requests.Session(), time.monotonic()
        for start in range(0, len(told), TOGETHER):
            if over.wait(max(0.0, began + start / A_SECOND - time.monotonic())):
                return
            company.send(session, stack, told[start : start + TOGETHER])

    teller = threading.Thread(target=tell)
    teller.start()
    yield
    over.set()
    teller.join()


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
