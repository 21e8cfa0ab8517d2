"""Measure the latency of requests alone, and during ten sign-ins per second."""

import argparse
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.performance import company
from tests.performance.figures import Figure, median
from tests.support.infrastructure import Services, Stack, emptied
from tests.support.system import PASSWORD

SECONDS, A_SECOND = 10, 10
PAUSE, PATIENCE = 0.02, 60
SIGN_IN_LIMIT, DELAY_LIMIT = 400, 100


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        services.start("services.gateway.service:GatewayService", of="gateway")
        headers = company.sign_in(stack, "admin")
        alone = _request_times(stack, headers, lambda: time.sleep(SECONDS))
        sign_ins: list[float] = []
        beside = _request_times(stack, headers, lambda: sign_ins.extend(_sign_in_times(stack)))
    slowest = _slowest(sign_ins) * 1000
    delay = (_slowest(beside) - _slowest(alone)) * 1000
    return [
        Figure(
            f"a sign-in, {A_SECOND} a second, 99 of 100 within", f"{slowest:.0f} ms", "400 ms", slowest <= SIGN_IN_LIMIT
        ),
        Figure(
            "how much longer GET /me takes meanwhile, 99 of 100 within",
            f"{delay:.0f} ms (median {(median(beside) - median(alone)) * 1000:.1f} ms)",
            "100 ms",
            delay <= DELAY_LIMIT,
        ),
    ]


def _request_times(stack: Stack, headers: dict[str, str], meanwhile: Callable[[], None]) -> list[float]:
    """Seconds that each request takes while `meanwhile` runs."""
    took: list[float] = []
    done = threading.Event()

    def work() -> None:
        session = requests.Session()
        while not done.wait(PAUSE):
            began = time.perf_counter()
            session.get(f"{company.address(stack)}/me", headers=headers, timeout=PATIENCE).raise_for_status()
            took.append(time.perf_counter() - began)

    worker = threading.Thread(target=work)
    worker.start()
    meanwhile()
    done.set()
    worker.join()
    return took


def _sign_in_times(stack: Stack) -> list[float]:
    """Seconds of each sign-in; they start at a fixed rate, whether or not earlier ones have finished."""
    with ThreadPoolExecutor(50) as people:
        signing_in = []
        for number in range(SECONDS * A_SECOND):
            signing_in.append(people.submit(_sign_in, stack, f"op{101 + number % 20}"))
            time.sleep(1 / A_SECOND)
        return [one.result() for one in signing_in]


def _sign_in(stack: Stack, login: str) -> float:
    began = time.perf_counter()
    shown = {"login": login, "password": PASSWORD}
    requests.post(f"{company.address(stack)}/sessions", json=shown, timeout=PATIENCE).raise_for_status()
    return time.perf_counter() - began


def _slowest(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
