"""The exchange records some of the calls that somebody answered, and sends each recording when the call is over."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

import requests

from shared.contracts.calls.events import call_id
from tools.simulator.audio_synthesis import conversation
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

TIMEOUT = (5, 60)
NOT_YET = {404, 429, 503}
ATTEMPTS, PAUSE = 10, 0.5
LONGEST = 120.0
"""Seconds that are recorded of a call: it is a demonstration, and disks are small."""


@dataclass
class Recorded:
    tenant: str
    call: str
    seconds: float
    attempts: int = 0


class Recordings:
    """`share` of the calls that were answered are recorded."""

    def __init__(self, base_url: str, key: str, share: float, dice: Random, stop: Stop) -> None:
        self.url = base_url.rstrip("/")
        self.share, self.dice, self.stop = share, dice, stop
        self.session = requests.Session()
        self.session.headers["X-Api-Key"] = key
        self.answered: dict[str, datetime] = {}
        self.due: deque[Recorded] = deque()

    def on(self, bursts: Iterable[list[Report]]) -> Iterator[list[Report]]:
        """The bursts, each passed on to the exchange before the sound of its calls is sent."""
        for burst in bursts:
            yield burst
            self._hear(burst)
            self._send()
        while self.due and not self.stop.wait(PAUSE):
            self._send()

    def _hear(self, burst: list[Report]) -> None:
        for report in burst:
            if report.type == "answered":
                self.answered.setdefault(report.call, report.at)
            elif report.type == "ended" and (answered := self.answered.pop(report.call, None)):
                talked = min((report.at - answered).total_seconds(), LONGEST)
                if self.dice.random() < self.share and talked > 0:
                    self.due.append(Recorded(report.tenant, report.call, talked))

    def _send(self) -> None:
        """Try each once; what the journal does not take yet is tried again with the next burst."""
        for _ in range(len(self.due)):
            recorded = self.due.popleft()
            recorded.attempts += 1
            if not self._sent(recorded) and recorded.attempts < ATTEMPTS:
                self.due.append(recorded)

    def _sent(self, recorded: Recorded) -> bool:
        path = f"{self.url}/api/v1/calls/{call_id(recorded.tenant, recorded.call)}/recording"
        try:
            link = self.session.put(path, allow_redirects=False, timeout=TIMEOUT)
            if link.status_code != 307:
                return link.status_code not in NOT_YET
            sound = conversation(recorded.seconds, Random(recorded.call))
            answer = self.session.put(f"{self.url}{link.headers['Location']}", data=sound, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        return answer.status_code not in NOT_YET
