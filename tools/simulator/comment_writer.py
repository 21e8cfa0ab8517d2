"""Employees who comment on some of the calls after their end, signed in through the API."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import requests

from shared.contracts.calls.events import call_id
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

TIMEOUT = (5, 10)
RETRYABLE_STATUSES = {401, 404, 429, 503}
PEOPLE = ("SUPERVISOR", "OPERATOR", "OPERATOR2")
ATTEMPTS = 20
PAUSE = 0.5
TEXTS = (
    "Передзвонити завтра до обіду",
    "Просили рахунок на пошту",
    "Замовлення підтвердили, чекають доставки",
    "Скарга: довго чекали на відповідь. Перепросити",
    "Помилилися номером",
    "Цікавляться знижкою для постійних клієнтів",
    "Передати майстрові: не гріє котел",
    "Домовились на вівторок, 10:00 🙂",
)


@dataclass
class PendingComment:
    tenant: str
    call: str
    login: str
    text: str
    attempts: int = 0


class CommentWriter:
    """Comment on a `share` of the ended calls, as the operator who answered or else as the supervisor."""

    def __init__(self, demo: Mapping[str, str], share: float, rng: Random, stop: Stop) -> None:
        self.url = f"{demo['BASE_URL'].rstrip('/')}/api/v1"
        self.share, self.rng, self.stop = share, rng, stop
        self.passwords = {
            demo[f"{who}_LOGIN"]: demo[f"{who}_PASSWORD"] for who in ("SUPERVISOR", "OPERATOR", "OPERATOR2")
        }
        self.supervisor = demo["SUPERVISOR_LOGIN"]
        self.operators = {demo[f"{who}_LINE"]: demo[f"{who}_LOGIN"] for who in ("OPERATOR", "OPERATOR2")}
        self.session = requests.Session()
        self.tokens: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.due: deque[PendingComment] = deque()

    def watch(self, bursts: Iterable[list[Report]]) -> Iterator[list[Report]]:
        """Yield each burst unchanged, then comment on its calls."""
        for burst in bursts:
            yield burst
            self._observe(burst)
            self._write()
        while self.due and not self.stop.wait(PAUSE):
            self._write()

    def _observe(self, burst: list[Report]) -> None:
        for report in burst:
            if report.type == "answered":
                self.answered[report.call] = report.data["party"]
            elif report.type == "ended":
                author = self.operators.get(self.answered.pop(report.call, ""), self.supervisor)
                if self.rng.random() < self.share:
                    self.due.append(PendingComment(report.tenant, report.call, author, self.rng.choice(TEXTS)))

    def _write(self) -> None:
        """Try each pending comment once; retry with the next burst while the journal does not show the call."""
        for _ in range(len(self.due)):
            comment = self.due.popleft()
            comment.attempts += 1
            if not self._try_write(comment) and comment.attempts < ATTEMPTS:
                self.due.append(comment)

    def _try_write(self, comment: PendingComment) -> bool:
        try:
            path = f"{self.url}/calls/{call_id(comment.tenant, comment.call)}/comment"
            headers = {"Authorization": f"Bearer {self._token(comment.login)}"}
            body = {"text": comment.text, "version": 0}
            response = self.session.put(path, json=body, headers=headers, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        if response.status_code == 401:
            self.tokens.pop(comment.login, None)
        return response.status_code not in RETRYABLE_STATUSES

    def _token(self, login: str) -> str:
        if login not in self.tokens:
            credentials = {"login": login, "password": self.passwords[login]}
            response = self.session.post(f"{self.url}/sessions", json=credentials, timeout=TIMEOUT)
            response.raise_for_status()
            self.tokens[login] = response.json()["token"]
        return self.tokens[login]
