"""Client of `POST /reports`, as an exchange uses it."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import requests

from tools.simulator.reports import Report
from tools.simulator.stop import Stop

MAX_REPORTS_PER_REQUEST = 500
MAX_PAUSE = 15.0
TIMEOUT = (5, 60)
CONNECTION_ERRORS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
RETRYABLE_STATUSES = {429, 500, 502, 503, 504}


class Refused(Exception):
    """The journal rejected these reports; sending them again does not help."""


class Undelivered(Exception):
    """The simulator was stopped while the journal was not accepting reports."""


class Gateway:
    """Sends each request until the journal accepts it; a retry is the identical request."""

    def __init__(self, base_url: str, key: str, stop: Stop, print_line: Callable[[str], None]) -> None:
        self.url = f"{base_url.rstrip('/')}/api/v1/reports"
        self.stop = stop
        self.print_line = print_line
        self.session = requests.Session()
        self.session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})

    def send(self, reports: Sequence[Report]) -> None:
        for first in range(0, len(reports), MAX_REPORTS_PER_REQUEST):
            self._deliver(reports[first : first + MAX_REPORTS_PER_REQUEST])

    def _deliver(self, batch: Sequence[Report]) -> None:
        body = json.dumps([report.as_json() for report in batch], ensure_ascii=False).encode()
        failures = 0
        while (problem := self._attempt(body, failures)) is not None:
            text, pause = problem
            if self.stop.requested:
                raise Undelivered(f"{len(batch)} reports were not delivered: {text}.")
            self.print_line(f"{text}; trying again in {pause:g} s.")
            self.stop.wait(pause)
            failures += 1

    def _attempt(self, body: bytes, failures: int) -> tuple[str, float] | None:
        pause = min(0.5 * 2**failures, MAX_PAUSE)
        try:
            response = self.session.post(
                self.url, data=body, headers={"Idempotency-Key": sha256(body).hexdigest()}, timeout=TIMEOUT
            )
        except CONNECTION_ERRORS:
            return f"The gateway at {self.url} does not answer", pause
        if response.status_code in RETRYABLE_STATUSES:
            return f"The gateway answers {response.status_code}", _retry_after(response, pause)
        if not response.ok:
            raise Refused(_error_text(response))
        return None


def _retry_after(response: requests.Response, otherwise: float) -> float:
    said = response.headers.get("Retry-After", "")
    return max(float(said), 0.1) if said.isdigit() else otherwise


def _error_text(response: requests.Response) -> str:
    try:
        problem: dict[str, Any] = response.json()
    except ValueError:
        problem = {}
    said = problem.get("detail") or problem.get("title") or response.reason
    errors = problem.get("errors") or {}
    first = next((f"{path}: {error['message']}" for path, of_path in errors.items() for error in of_path), "")
    return f"The gateway refused the reports ({response.status_code}): {said}{first and f' — {first}'}"
