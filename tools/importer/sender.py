"""Send reports to the gateway in batches; retry each batch until it is accepted."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import requests

from shared.contracts.errors import FieldErrors

Report = dict[str, Any]

MAX_REPORTS_PER_REQUEST = 1000
MAX_BODY_BYTES = 1_900_000
TIMEOUT = (5, 60)
RETRYABLE_STATUSES = {429, 502, 503, 504}
MAX_WAIT_SECONDS = 300.0
"""Seconds for which an unavailable gateway is retried."""
MIN_PAUSE, MAX_PAUSE = 0.5, 15.0


class SendFailed(Exception):
    """Reports could not be sent; the text says what to do."""


class Sender:
    def __init__(self, base_url: str, key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = f"{base_url.rstrip('/')}/api/v1/reports"
        self._session = requests.Session()
        self._session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})
        self._sleep = sleep

    def send(self, reports: Sequence[Report]) -> dict[int, FieldErrors]:
        """Send all reports; return the rejected ones as {index: errors}. Raises SendFailed."""
        refused: dict[int, FieldErrors] = {}
        left = list(enumerate(reports))
        while left:
            part = left[: _count_fitting_one_body([report for _, report in left])]
            wrong = self._post([report for _, report in part])
            refused |= {part[index][0]: why for index, why in wrong.items()}
            # The gateway accepts a batch as a whole or not at all, so the rest is sent again without the rejected ones.
            left = [one for index, one in enumerate(part) if index not in wrong] * bool(wrong) + left[len(part) :]
        return refused

    def _post(self, reports: Sequence[Report]) -> dict[int, FieldErrors]:
        body, waited, pause = orjson.dumps(reports), 0.0, MIN_PAUSE
        while True:
            response = self._post_once(body)
            if response is not None and response.ok:
                return {}
            if response is not None and response.status_code == 422:
                return _refused(response, len(reports))
            if response is not None and response.status_code not in RETRYABLE_STATUSES:
                raise SendFailed(
                    f"The gateway refused the reports ({response.status_code}): {response.text.strip()[:500]}"
                )
            if waited >= MAX_WAIT_SECONDS:
                raise SendFailed(
                    f"The gateway at {self._url} does not accept reports; run the command again to resume."
                )
            self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, MAX_PAUSE)

    def _post_once(self, body: bytes) -> requests.Response | None:
        try:
            return self._session.post(self._url, data=body, timeout=TIMEOUT)
        except (requests.ConnectionError, requests.Timeout):
            return None


def _count_fitting_one_body(reports: Sequence[Report]) -> int:
    """How many of the reports fit into one request body."""
    size = 2
    for number, report in enumerate(reports[:MAX_REPORTS_PER_REQUEST]):
        size += len(orjson.dumps(report)) + 1
        if size > MAX_BODY_BYTES and number:
            return number
    return min(len(reports), MAX_REPORTS_PER_REQUEST)


def _refused(response: requests.Response, many: int) -> dict[int, FieldErrors]:
    """The errors of each rejected report, by its index, then by path in the report."""
    refused: dict[int, FieldErrors] = {}
    for path, errors in response.json().get("errors", {}).items():
        index, _, inner = path.partition(".")
        if index.isdecimal():
            refused.setdefault(int(index), {})[inner] = errors
    if not refused or max(refused) >= many:
        raise SendFailed(f"The gateway does not understand the reports: {response.text.strip()[:500]}")
    return refused
