"""Measure the speed and the memory use of the journal export."""

import argparse
import time

import requests

from tests.performance import company
from tests.performance.figures import Figure, median
from tests.performance.memory import _resident
from tests.performance.page import _fill
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied

ROWS, GROWTH = 100_000, 30.0
SPEED = {"csv": 10_000}
TIMES = 5


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = next(system.start(stack, services, {}))
        pid = world.processes["gateway"].process.pid
        _fill(stack, ROWS)
        headers = company.sign_in(stack, "admin")
        figures = [_counted(stack, headers)]
        for format_ in ("csv", "ndjson", "xlsx"):
            figures += _exported(stack, headers, format_, pid)
    return figures


def _exported(stack: Stack, headers: dict[str, str], format_: str, pid: int) -> list[Figure]:
    before, heaviest, rows = _resident(pid), 0.0, 0
    began = time.monotonic()
    url = f"{company.address(stack)}/journal/export?format={format_}"
    with requests.get(url, headers=headers, stream=True, timeout=300) as answer:
        for piece in answer.iter_content(1 << 20):
            rows += piece.count(b"\n")
            heaviest = max(heaviest, _resident(pid))
    speed, grown = ROWS / (time.monotonic() - began), heaviest - before
    assert format_ == "xlsx" or rows in {ROWS, ROWS + 1}, rows
    bar = SPEED.get(format_)
    return [
        Figure(f"{ROWS:,} calls as {format_}", f"{speed:,.0f} rows/s", f"{bar:,}" if bar else "", speed >= (bar or 0)),
        Figure("the gateway grows meanwhile by", f"{grown:.0f} MiB", f"{GROWTH:.0f} MiB", grown <= GROWTH),
    ]


def _counted(stack: Stack, headers: dict[str, str]) -> Figure:
    """Time of the summary over a month that contains all calls."""
    taken = []
    for _ in range(TIMES):
        began = time.monotonic()
        answer = requests.get(f"{company.address(stack)}/journal/summary?period=month", headers=headers, timeout=30)
        taken.append(time.monotonic() - began)
        assert answer.json()["total"] == ROWS
    typical = median(taken)
    return Figure("a month counted", f"{typical * 1000:.0f} ms", "1 s", typical <= 1)
