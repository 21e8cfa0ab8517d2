"""Measure the time from a report to its journal row: alone, and among a hundred reports per second."""

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
"""Background load: reports per second, reports per request, maximum number of calls."""


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = system.start(stack, services, {})
        next(world)
        headers = company.sign_in(stack, "admin")
        session = requests.Session()
        waits = [_visible_after(session, stack, headers) for _ in range(REPORTS)]
        with _background_load(stack):
            busy = [_visible_after(session, stack, headers) for _ in range(REPORTS)]
    typical = median(waits) * 1000
    worst = sorted(waits)[int(len(waits) * 0.95)] * 1000
    late = sorted(busy)[-2] * 1000
    return [
        Figure("a single report, from POST to GET, median", f"{typical:.0f} ms", "150 ms", typical <= 150),
        Figure("the same, 95th percentile", f"{worst:.0f} ms"),
        Figure("the same among 100 others a second, 99th percentile", f"{late:.0f} ms", "1 s", late <= 1000),
    ]


@contextmanager
def _background_load(stack: Stack) -> Iterator[None]:
    """Send a hundred reports per second until the block ends."""
    over, batch = threading.Event(), company.reports(OTHERS, uuid4().hex)

    def send() -> None:
        session, began = requests.Session(), time.monotonic()
        for start in range(0, len(batch), TOGETHER):
            if over.wait(max(0.0, began + start / A_SECOND - time.monotonic())):
                return
            company.send(session, stack, batch[start : start + TOGETHER])

    sender = threading.Thread(target=send)
    sender.start()
    yield
    over.set()
    sender.join()


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
