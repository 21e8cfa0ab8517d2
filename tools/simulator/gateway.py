"""The journal's door for reports, as an exchange knows it."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import requests

from tools.simulator.reports import Report
from tools.simulator.stop import Stop

LARGEST_BATCH = 500
LONGEST_PAUSE = 15.0
TIMEOUT = (5, 60)
UNFINISHED = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
TRY_AGAIN = {429, 500, 502, 503, 504}


class Refused(Exception):
    """The journal will not take these reports however often they are sent."""


class Undelivered(Exception):
    """The simulator was stopped while the journal took nothing."""


class Gateway:
    """Sends until the journal has said yes; what is sent again is the same request."""

    def __init__(self, base_url: str, key: str, stop: Stop, say: Callable[[str], None]) -> None:
        self.url = f"{base_url.rstrip('/')}/api/v1/reports"
        self.stop = stop
        self.say = say
        self.session = requests.Session()
        self.session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})

    def send(self, reports: Sequence[Report]) -> None:
        for first in range(0, len(reports), LARGEST_BATCH):
            self._deliver(reports[first : first + LARGEST_BATCH])

    def _deliver(self, batch: Sequence[Report]) -> None:
        body = json.dumps([report.as_json() for report in batch], ensure_ascii=False).encode()
        failures = 0
        while (problem := self._attempt(body, failures)) is not None:
            text, pause = problem
            if self.stop.asked:
                raise Undelivered(f"{len(batch)} reports were not delivered: {text}.")
            self.say(f"{text}; trying again in {pause:g} s.")
            self.stop.wait(pause)
            failures += 1

    def _attempt(self, body: bytes, failures: int) -> tuple[str, float] | None:
        pause = min(0.5 * 2**failures, LONGEST_PAUSE)
        try:
            answer = self.session.post(
                self.url, data=body, headers={"Idempotency-Key": sha256(body).hexdigest()}, timeout=TIMEOUT
            )
        except UNFINISHED:
            return f"The gateway at {self.url} does not answer", pause
        if answer.status_code in TRY_AGAIN:
            return f"The gateway answers {answer.status_code}", _retry_after(answer, pause)
        if not answer.ok:
            raise Refused(_sentence(answer))
        return None


def _retry_after(answer: requests.Response, otherwise: float) -> float:
    said = answer.headers.get("Retry-After", "")
    return max(float(said), 0.1) if said.isdigit() else otherwise


def _sentence(answer: requests.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    said = problem.get("detail") or problem.get("title") or answer.reason
    first = next(iter(_places(problem.get("errors"), "")), "")
    return f"The gateway refused the reports ({answer.status_code}): {said}{first and f' — {first}'}"


def _places(errors: object, path: str) -> list[str]:
    if isinstance(errors, dict):
        return [place for name, inner in errors.items() for place in _places(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(errors, list) and errors and not isinstance(errors[0], str):
        return [place for number, inner in enumerate(errors) for place in _places(inner, f"{path}[{number}]")]
    return [f"{path}: {errors[0] if isinstance(errors, list) else errors}"] if errors else []
