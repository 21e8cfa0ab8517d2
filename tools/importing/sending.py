"""Reports to the gateway, a batch at a time, each until it is safe."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import requests

Report = dict[str, Any]

MOST = 1000
MOST_BYTES = 1_900_000
TIMEOUT = (5, 60)
TRY_AGAIN = {429, 502, 503, 504}
PATIENCE = 300.0
"""Seconds for which a gateway may be away."""
SHORTEST, LONGEST = 0.5, 15.0


class NotSent(Exception):
    """Its text tells a person what to do."""


class Sender:
    def __init__(self, base_url: str, key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = f"{base_url.rstrip('/')}/api/v1/reports"
        self._session = requests.Session()
        self._session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})
        self._sleep = sleep

    def send(self, reports: Sequence[Report]) -> dict[int, str]:
        """What the gateway does not take, by its index, and why; all else is safe. Raises NotSent."""
        refused: dict[int, str] = {}
        left = list(enumerate(reports))
        while left:
            part = left[: _fitting([report for _, report in left])]
            wrong = self._post([report for _, report in part])
            refused |= {part[index][0]: why for index, why in wrong.items()}
            # A batch is taken whole or not at all: without those that were refused it is sent again.
            left = [one for index, one in enumerate(part) if index not in wrong] * bool(wrong) + left[len(part) :]
        return refused

    def _post(self, reports: Sequence[Report]) -> dict[int, str]:
        body, waited, pause = orjson.dumps(reports), 0.0, SHORTEST
        while True:
            answer = self._answer(body)
            if answer is not None and answer.ok:
                return {}
            if answer is not None and answer.status_code == 422:
                return _refused(answer, len(reports))
            if answer is not None and answer.status_code not in TRY_AGAIN:
                raise NotSent(f"The gateway refused the reports ({answer.status_code}): {answer.text.strip()[:500]}")
            if waited >= PATIENCE:
                raise NotSent(f"The gateway at {self._url} takes no reports; the same command goes on from here.")
            self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST)

    def _answer(self, body: bytes) -> requests.Response | None:
        try:
            return self._session.post(self._url, data=body, timeout=TIMEOUT)
        except (requests.ConnectionError, requests.Timeout):
            return None


def _fitting(reports: Sequence[Report]) -> int:
    """How many of them make one body."""
    size = 2
    for number, report in enumerate(reports[:MOST]):
        size += len(orjson.dumps(report)) + 1
        if size > MOST_BYTES and number:
            return number
    return min(len(reports), MOST)


def _refused(answer: requests.Response, many: int) -> dict[int, str]:
    errors = answer.json().get("errors", {})
    refused = {int(index): orjson.dumps(why).decode() for index, why in errors.items() if index.isdecimal()}
    if not refused or max(refused) >= many:
        raise NotSent(f"The gateway does not understand the reports: {answer.text.strip()[:500]}")
    return refused
