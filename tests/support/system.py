"""The whole system on the private servers, with two companies in it, as its clients see it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from shared.contracts import topology
from shared.contracts.wire import Json
from tests.support.infrastructure import Service, Services, Stack, eventually, free_port

PASSWORD = "Гасло-для-перевірки-1"
PROCESSES = {name: process.target for name, process in topology.PROCESSES.items() if process.target}
"""The class that each process runs, by the name of the process; without those that wait for something outside."""


@dataclass
class System:
    """`get` and `send` ask as a person; `report(tenant, …)` tells of calls as that tenant's exchange.

    `processes` are those that the services declare, by name; each has the `lines()` it has logged and can be killed.
    `services` starts others, where they are ours to start.
    """

    url: str
    processes: dict[str, Any]
    keys: dict[str, str]
    services: Services | None = None
    _tokens: dict[str, str] = field(default_factory=dict)

    def report(self, tenant: str, reports: Sequence[Json], **headers: str) -> requests.Response:
        return requests.post(
            f"{self.url}/reports", json=list(reports), headers={"X-Api-Key": self.keys[tenant], **headers}, timeout=10
        )

    def sign_in(self, login: str, password: str = PASSWORD) -> requests.Response:
        return requests.post(f"{self.url}/sessions", json={"login": login, "password": password}, timeout=10)

    def get(self, path: str, login: str, **parameters: Any) -> requests.Response:
        return self.send("GET", path, login, params=parameters)

    def send(self, method: str, path: str, login: str, *, url: str = "", **how: Any) -> requests.Response:
        """`url`: of another replica of the gateway."""
        if login not in self._tokens:
            self._tokens[login] = self.sign_in(login).json()["token"]
        headers = {"Authorization": f"Bearer {self._tokens[login]}", **how.pop("headers", {})}
        return requests.request(method, f"{url or self.url}{path}", headers=headers, timeout=10, **how)

    def start(self, name: str, target: str = "", **env: str) -> Service:
        """Start a process, in place of the one of that name; `target` is what it runs, unless it is the usual."""
        assert self.services
        process = self.services.start(target or PROCESSES[name], of=PROCESSES[name].split(".")[1], ready=True, **env)
        self.processes[name] = process
        return process

    def restart(self, name: str, **env: str) -> None:
        """Kill a process, if it is not dead yet, and start it with these settings."""
        self.processes[name].kill()
        if self.services:
            self.start(name, **env)
        else:
            self.processes[name].start(**env)

    def count_anew(self, name: str) -> Callable[[], str]:
        """Restart a process; whoever calls what is returned is told its metrics."""
        address = f"127.0.0.1:{free_port()}"
        if not self.services:
            self.restart(name)
            metrics: Callable[[], str] = self.processes[name].metrics
            return metrics
        self.restart(name, METRICS_ADDRESS=address)
        return lambda: requests.get(f"http://{address}/metrics", timeout=5).text

    def start_replica(self) -> str:
        """The url of another gateway."""
        address = f"127.0.0.1:{free_port()}"
        self.start("gateway", WEB_ADDRESS=address)
        return f"http://{address}/api/v1"

    def entry(self, call_id: str, login: str, **expected: Any) -> Json:
        """The entry of a call once it is there and as expected."""

        def shown() -> Json | None:
            answer = self.get(f"/calls/{call_id}", login)
            entry: Json = answer.json()
            fits = answer.status_code == 200 and all(entry[name] == value for name, value in expected.items())
            return entry if fits else None

        found: Json = eventually(shown)
        return found


def start(stack: Stack, services: Services, keys: dict[str, str]) -> Iterator[System]:
    """Everything started together, as a machine that boots would."""
    processes = {
        name: services.start(target, of=target.split(".")[1], ready=False) for name, target in PROCESSES.items()
    }
    for process in processes.values():
        process.wait_until_ready()
    url = f"http://{stack.env('gateway')['WEB_ADDRESS']}/api/v1"
    yield System(url, dict(processes), keys, services=services)
