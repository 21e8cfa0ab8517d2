"""Record some of the answered calls and upload each recording after the call."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

import requests

from shared.contracts.calls.events import call_id
from tools.simulator.audio_synthesis import synthesize_conversation
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

TIMEOUT = (5, 60)
RETRYABLE_STATUSES = {404, 429, 503}
ATTEMPTS, PAUSE = 10, 0.5
MAX_RECORDED_SECONDS = 120.0
"""Seconds recorded of one call, which keeps the disk use of the demonstration small."""


@dataclass
class PendingRecording:
    tenant: str
    call: str
    seconds: float
    attempts: int = 0


class RecordingUploader:
    """Upload a recording for a `share` of the answered calls."""

    def __init__(self, base_url: str, key: str, share: float, rng: Random, stop: Stop) -> None:
        self.url = base_url.rstrip("/")
        self.share, self.rng, self.stop = share, rng, stop
        self.session = requests.Session()
        self.session.headers["X-Api-Key"] = key
        self.answered: dict[str, datetime] = {}
        self.due: deque[PendingRecording] = deque()

    def watch(self, bursts: Iterable[list[Report]]) -> Iterator[list[Report]]:
        """Yield each burst unchanged, then upload the recordings of its calls."""
        for burst in bursts:
            yield burst
            self._observe(burst)
            self._send()
        while self.due and not self.stop.wait(PAUSE):
            self._send()

    def _observe(self, burst: list[Report]) -> None:
        for report in burst:
            if report.type == "answered":
                self.answered.setdefault(report.call, report.at)
            elif report.type == "ended" and (answered := self.answered.pop(report.call, None)):
                talked = min((report.at - answered).total_seconds(), MAX_RECORDED_SECONDS)
                if self.rng.random() < self.share and talked > 0:
                    self.due.append(PendingRecording(report.tenant, report.call, talked))

    def _send(self) -> None:
        """Try each upload once; retry with the next burst while the journal does not accept it."""
        for _ in range(len(self.due)):
            recording = self.due.popleft()
            recording.attempts += 1
            if not self._try_upload(recording) and recording.attempts < ATTEMPTS:
                self.due.append(recording)

    def _try_upload(self, recording: PendingRecording) -> bool:
        path = f"{self.url}/api/v1/calls/{call_id(recording.tenant, recording.call)}/recording"
        try:
            link = self.session.put(path, allow_redirects=False, timeout=TIMEOUT)
            if link.status_code != 307:
                return link.status_code not in RETRYABLE_STATUSES
            sound = synthesize_conversation(recording.seconds, Random(recording.call))
            response = self.session.put(f"{self.url}{link.headers['Location']}", data=sound, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        return response.status_code not in RETRYABLE_STATUSES
