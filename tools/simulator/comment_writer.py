"""People of the company who leave a comment on some of the calls, as they do: signed in, and once the call is over."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import requests

from shared.contracts.calls.events import call_id
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

TIMEOUT = (5, 10)
NOT_YET = {401, 404, 429, 503}
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
class Remark:
    tenant: str
    call: str
    login: str
    text: str
    attempts: int = 0


class Remarks:
    """`share` of the calls that end get a comment: by the operator who answered, if their password is known."""

    def __init__(self, demo: Mapping[str, str], share: float, dice: Random, stop: Stop) -> None:
        self.url = f"{demo['BASE_URL'].rstrip('/')}/api/v1"
        self.share, self.dice, self.stop = share, dice, stop
        self.passwords = {
            demo[f"{who}_LOGIN"]: demo[f"{who}_PASSWORD"] for who in ("SUPERVISOR", "OPERATOR", "OPERATOR2")
        }
        self.supervisor = demo["SUPERVISOR_LOGIN"]
        self.operators = {demo[f"{who}_LINE"]: demo[f"{who}_LOGIN"] for who in ("OPERATOR", "OPERATOR2")}
        self.session = requests.Session()
        self.tokens: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.due: deque[Remark] = deque()

    def on(self, bursts: Iterable[list[Report]]) -> Iterator[list[Report]]:
        """The bursts, each passed on to the exchange before anybody comments on its calls."""
        for burst in bursts:
            yield burst
            self._hear(burst)
            self._write()
        while self.due and not self.stop.wait(PAUSE):
            self._write()

    def _hear(self, burst: list[Report]) -> None:
        for report in burst:
            if report.type == "answered":
                self.answered[report.call] = report.data["party"]
            elif report.type == "ended":
                author = self.operators.get(self.answered.pop(report.call, ""), self.supervisor)
                if self.dice.random() < self.share:
                    self.due.append(Remark(report.tenant, report.call, author, self.dice.choice(TEXTS)))

    def _write(self) -> None:
        """Try each once; a call that the journal does not show yet is tried again with the next burst."""
        for _ in range(len(self.due)):
            remark = self.due.popleft()
            remark.attempts += 1
            if not self._written(remark) and remark.attempts < ATTEMPTS:
                self.due.append(remark)

    def _written(self, remark: Remark) -> bool:
        try:
            path = f"{self.url}/calls/{call_id(remark.tenant, remark.call)}/comment"
            headers = {"Authorization": f"Bearer {self._token(remark.login)}"}
            answer = self.session.put(path, json={"text": remark.text, "version": 0}, headers=headers, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        if answer.status_code == 401:
            self.tokens.pop(remark.login, None)
        return answer.status_code not in NOT_YET

    def _token(self, login: str) -> str:
        if login not in self.tokens:
            who = {"login": login, "password": self.passwords[login]}
            answer = self.session.post(f"{self.url}/sessions", json=who, timeout=TIMEOUT)
            answer.raise_for_status()
            self.tokens[login] = answer.json()["token"]
        return self.tokens[login]
