"""The whole system with everything in it being killed, and an exchange that tells it of calls all the while."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import requests

from shared.contracts.topology import QUEUES
from tests.service.recordings.media_client import wav
from tests.support.infrastructure import ROOT, Broker, Service, Services, Stack

BATCH = 25
RESTART_PAUSE = 0.5
PATIENCE = 60.0
ROLES = {
    "calls": ("calls", "CallsService"),
    "calls, second replica": ("calls", "CallsService"),
    "relay": ("calls", "CallsRelay"),
    "gateway": ("gateway", "GatewayService"),
    "projector": ("gateway", "Projector"),
    "billing": ("billing", "BillingService"),
    "billing, second replica": ("billing", "BillingService"),
    "billing's relay": ("billing", "BillingRelay"),
    "comments": ("comments", "CommentsService"),
    "comments' relay": ("comments", "CommentsRelay"),
    "recordings": ("recordings", "RecordingsService"),
    "recordings' relay": ("recordings", "RecordingsRelay"),
}
RUN = "import sys; from shared.plumbing import runner; import tests.chaos.fault_injection; runner.main(sys.argv[1:])"
SERVERS = ("rabbitmq", "postgres", "redis", "edge")
SOUND = wav(0.2)
RETRYABLE_STATUSES = (404, 429, 500, 502, 503, 504)
"""A call may not be there yet."""
JOURNAL = [role for role, (of, _) in ROLES.items() if of in ("calls", "gateway")]
"""Who takes a report to the journal."""


@dataclass
class World:
    """`planted`: the name of a bug from `tests.chaos.fault_injection`, or none. `remarks`, `sounds`: accepted."""

    stack: Stack
    services: Services
    key: str
    login: str
    password: str
    planted: str = ""
    running: dict[str, Service] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    remarks: dict[str, str] = field(default_factory=dict)
    sounds: set[str] = field(default_factory=set)
    restarts: int = 0
    stopping: bool = False
    keeper: threading.Thread | None = None

    def start(self, roles: Iterable[str] = ROLES) -> None:
        for role in roles:
            self._start(role)
        for service in self.running.values():
            service.wait_until_ready()
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()

    @property
    def killed(self) -> int:
        """How many of the processes; servers are brought up by others."""
        kills = {fault: count for fault, count in self.faults.items() if fault.startswith("kill")}
        return sum(count for fault, count in kills.items() if not fault.endswith(SERVERS))

    def has(self, service: str) -> bool:
        return service in self.running

    def stop(self) -> None:
        self.stopping = True
        if self.keeper:
            self.keeper.join()

    def _start(self, role: str) -> None:
        of, name = ROLES[role]
        environment = {**os.environ, **self.stack.env(of), "PYTHONPATH": str(ROOT), "PRICE_DELAY": "1"}
        self.running[role] = self.services.spawn(
            [sys.executable, "-c", RUN, f"services.{of}.service:{name}"],
            {**environment, "PLANTED": self.planted},
            ready=False,
        )

    def _keep(self) -> None:
        while not self.stopping:
            for role, service in self.running.items():
                if not service.alive():
                    self.restarts += 1
                    self._start(role)
            time.sleep(RESTART_PAUSE)

    def strike(self, fault: str, chance: random.Random) -> None:
        """`kill ROLE`, `pause ROLE`, `kill SERVER` or `pause SERVER`; a server is brought up again."""
        verb, _, victim = fault.partition(" ")
        self.faults[fault] += 1
        pids = self._server(victim) if victim in SERVERS else [self.running[victim].process.pid]
        if verb == "pause":
            self._send_all(pids, signal.SIGSTOP)
            time.sleep(chance.uniform(1, 4))
            self._send_all(pids, signal.SIGCONT)
        else:
            self._send_all(pids, signal.SIGKILL)
            if victim in SERVERS:
                self.raise_servers()

    def _send_all(self, pids: Iterable[int], what: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)

    def _server(self, name: str) -> list[int]:
        """The server's process, and the children in which PostgreSQL and nginx do their work."""
        pid = int((self.stack.folder / name / "pid").read_text().split()[0])
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def raise_servers(self) -> None:
        """A killed PostgreSQL leaves children that must be gone before it starts: so more than one try."""
        environment = {**os.environ, "STACK_DIR": str(self.stack.folder)}
        command = [str(ROOT / "ops/stack/stack"), "up"]
        for _ in range(10):
            time.sleep(1)
            if subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 0:
                return
        raise AssertionError("the servers did not come up again")

    def tell(self, told: list[dict[str, Any]], seconds: float) -> None:
        """Send everything over about `seconds`, each batch again and again until it is accepted."""
        pause = seconds / max(1, len(told) / BATCH)
        for start in range(0, len(told), BATCH):
            began = time.monotonic()
            while not self._send(told[start : start + BATCH]):
                time.sleep(0.3)
            time.sleep(max(0.0, pause - (time.monotonic() - began)))

    def _send(self, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = requests.post(f"{self._url()}/reports", json=batch, headers={"X-Api-Key": self.key}, timeout=5)
        except requests.RequestException:
            return False
        if answer.status_code in RETRYABLE_STATUSES:
            return False
        assert answer.status_code == 202, answer.text
        return True

    def remark(self, call_ids: Sequence[str], seconds: float) -> None:
        """Comment on calls over about `seconds`, and bring their sound: on each again and again until it is taken."""
        session, until = requests.Session(), time.monotonic() + seconds + PATIENCE
        keys = {call_id: str(uuid4()) for call_id in call_ids}
        while time.monotonic() < until and (set(keys) - self.remarks.keys() or set(keys) - self.sounds):
            for call_id in set(keys) - self.remarks.keys():
                self._comment(session, call_id, f"нотатка до {call_id}", keys[call_id])
            for call_id in set(keys) - self.sounds:
                self._bring(call_id)
            time.sleep(1)

    def _bring(self, call_id: str) -> None:
        url, key = f"{self._url()}/calls/{call_id}/recording", {"X-Api-Key": self.key}
        with contextlib.suppress(requests.RequestException):
            answer = requests.put(url, data=SOUND, headers=key, timeout=5)
            if answer.status_code not in RETRYABLE_STATUSES:
                assert answer.status_code in (200, 201), answer.text
                self.sounds.add(call_id)

    def _comment(self, session: requests.Session, call_id: str, text: str, key: str) -> None:
        about = {"json": {"text": text}, "headers": {"Idempotency-Key": key}, "timeout": 5}
        try:
            if "Authorization" not in session.headers:
                who = {"login": self.login, "password": self.password}
                signed_in = session.post(f"{self._url()}/sessions", json=who, timeout=5)
                session.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
            answer = session.put(f"{self._url()}/calls/{call_id}/comment", **about)
        except (requests.RequestException, KeyError):
            return
        if answer.status_code not in RETRYABLE_STATUSES:
            assert answer.status_code in (200, 201), answer.text
            self.remarks[call_id] = text

    def _url(self) -> str:
        return f"{self.stack.env('admin')['BASE_URL']}/api/v1"

    def wait_until_quiet(self, seconds: float, at_most: float) -> None:
        """Return when everything lives and nothing has moved for `seconds`."""
        deadline = time.monotonic() + at_most
        before, since = None, time.monotonic()
        while time.monotonic() < min(deadline, since + seconds):
            time.sleep(0.25)
            now = self._moved()
            if now != before or not all(service.alive() for service in self.running.values()):
                before, since = now, time.monotonic()

    def _moved(self) -> tuple[Any, ...]:
        broker = Broker(self.stack.admin_uri)
        owners = {ROLES[role][0] for role in self.running}
        heard = [queue.name for queue in QUEUES if queue.service in owners]
        waiting = tuple(broker.count(name) for name in heard)
        busy = any(waiting) and time.monotonic()
        return (
            self.rows("calls", "select count(*), max(recorded_at) from events"),
            self.rows("gateway", "select coalesce(sum(version), 0) from journal"),
            self.rows("billing", "select count(*), count(*) filter (where pending) from calls"),
            self.rows("gateway", "select coalesce(sum(version), 0) from journal_prices"),
            self.rows("gateway", "select count(*) from journal_comments"),
            self.rows("gateway", "select count(*) from journal_recordings"),
            waiting,
            busy,
        )

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.env(service)["DATABASE_URL"], autocommit=True) as conn:
            return conn.execute(query).fetchall()
