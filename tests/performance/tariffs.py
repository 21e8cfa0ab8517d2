"""Measure the import of a price list, and the latency of other requests during the largest import."""

import argparse
import threading
import time
from typing import Any

import requests

from tests.performance import company
from tests.performance.figures import Figure
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied

PREFIXES, IMPORTED_WITHIN, LONGEST_WAIT = 10_000, 3.0, 0.5
LONGEST = 16 * 1024 * 1024
RATE = (
    '{"direction":"outbound","prefix":"+%d","line":"","per_minute":"1.20","connection_fee":"0",'
    '"minimum_seconds":1,"increment_seconds":1,"free_seconds":0,"minimal_charge":"0"}'
)


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "billing"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        next(system.start(stack, services, {}))
        url, headers = company.address(stack), company.sign_in(stack, "admin")
        csv = "direction,prefix,per_minute\n" + "".join(f"outbound,+{10**9 + n},1.20\n" for n in range(PREFIXES))
        asking = {"params": {"name": "bench", "currency": "UAH"}, "data": csv}
        took, _ = _time_import(f"{url}/tariffs/import", {**headers, "Content-Type": "text/csv"}, f"{url}/me", **asking)
        json = {**headers, "Content-Type": "application/json"}
        longest, waited = _time_import(f"{url}/tariffs", json, f"{url}/me", data=_draft())
    return [
        Figure(
            f"a price list of {PREFIXES:,} prefixes, POST to 201",
            f"{took:.2f} s",
            f"{IMPORTED_WITHIN:.0f} s",
            took < IMPORTED_WITHIN,
        ),
        Figure(
            f"the longest wait of another at that gateway while it takes 16 MiB of rates in {longest:.1f} s",
            f"{waited * 1000:.0f} ms",
            f"{LONGEST_WAIT * 1000:.0f} ms",
            waited < LONGEST_WAIT,
        ),
    ]


def _draft() -> bytes:
    count = LONGEST // (len(RATE % 10**9) + 1) - 1
    rates = ",".join(RATE % (10**9 + n) for n in range(count))
    return f'{{"name":"bench","currency":"UAH","rates":[{rates}]}}'.encode()


def _time_import(url: str, headers: dict[str, str], other: str, **how: Any) -> tuple[float, float]:
    """Return (seconds of the import, longest seconds of a request to `other` meanwhile)."""
    waits, done = [0.0], threading.Event()

    def request_meanwhile() -> None:
        with requests.Session() as session:
            while not done.wait(0.02):
                started_at = time.monotonic()
                assert session.get(other, headers=headers, timeout=30).ok
                waits.append(time.monotonic() - started_at)

    asking = threading.Thread(target=request_meanwhile)
    asking.start()
    began = time.monotonic()
    answer = requests.post(url, headers=headers, timeout=60, **how)
    took = time.monotonic() - began
    done.set()
    asking.join()
    assert answer.status_code == 201, answer.text[:500]
    return took, max(waits)
