"""Measure comment writes: from the PUT until a GET on another replica shows the comment."""

import argparse
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

from shared.contracts.calls.events import call_id
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied, eventually

CALLS, WRITES = 200, 100
RATE, SECONDS, WRITERS = 100, 10, 24


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "comments"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = next(system.start(stack, services, {}))
        replicas = (world.url, world.start_replica())
        paths = _calls(stack)
        headers = company.sign_in(stack, "admin")
        waits = _write_sequentially(replicas, paths, headers)
        answers = _write_at_rate(replicas, paths, headers)
    typical, wrong = median(waits) * 1000, sum(not one for one in answers)
    kept_up = len(answers) / RATE / SECONDS
    return [
        Figure("a comment, from PUT to GET on another replica, median", f"{typical:.0f} ms", "25 ms", typical <= 25),
        Figure(f"{RATE} comments a second to two replicas, without an error", f"{wrong} errors", "0", wrong == 0),
        Figure("the same, of the writes that were to be made", f"{kept_up:.0%}", "100%", kept_up >= 1),
    ]


def _calls(stack: Stack) -> list[str]:
    """The comment paths of calls that are in the journal."""
    told = company.reports(CALLS, "comments")
    session = requests.Session()
    for start in range(0, len(told), 500):
        company.send(session, stack, told[start : start + 500])
    headers = company.sign_in(stack, "admin")
    paths = [f"/calls/{one}" for one in {call_id(company.TENANT, report["call"]) for report in told}]
    for path in paths:
        eventually(lambda path=path: session.get(company.address(stack) + path, headers=headers, timeout=10).ok, 60)
    return paths


def _write_sequentially(replicas: tuple[str, str], paths: list[str], headers: dict[str, str]) -> list[float]:
    here, there = replicas
    session, waits = requests.Session(), []
    session.headers.update(headers)
    for number, path in zip(range(WRITES), itertools.cycle(paths), strict=False):
        began = time.monotonic()
        written = session.put(f"{here}{path}/comment", json={"text": f"коментар {number}"}, timeout=10)
        waits.append(time.monotonic() - began)
        assert session.get(f"{there}{path}", timeout=10).json()["comment"] == written.json()
        time.sleep(0.05)
    return waits


def _write_at_rate(replicas: tuple[str, str], paths: list[str], headers: dict[str, str]) -> list[bool]:
    began, writer = time.monotonic(), threading.local()

    def write(number: int) -> bool:
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        url = f"{replicas[number % 2]}{paths[number % len(paths)]}/comment"
        session = vars(writer).setdefault("session", requests.Session())
        answer = session.put(url, json={"text": f"правка {number}"}, headers=headers, timeout=10)
        return answer.status_code in (200, 201)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(_within_time_limit(pool.map(write, range(RATE * SECONDS)), began))


def _within_time_limit(answers: Iterator[bool], began: float) -> Iterator[bool]:
    """The answers that arrived within the planned time plus one second."""
    for answer in answers:
        if time.monotonic() > began + SECONDS + 1:
            return
        yield answer
