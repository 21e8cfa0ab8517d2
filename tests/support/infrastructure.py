"""Fixtures: the private servers, clean databases and queues, and services in processes of their own.

Import them in a conftest. `stack` uses the servers of STACK_DIR (`.stack/test` unless it is set) and starts them
if they do not run; nothing is skipped because a server is missing.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kombu import Connection
from psycopg.conninfo import make_conninfo

from shared.contracts.topology import DATABASES, QUEUES, RETRY_PAUSES, dead, retry
from shared.plumbing.database import Postgres
from shared.plumbing.migrate import migrate
from shared.plumbing.publisher import Outgoing, Publisher

ROOT = Path(__file__).parents[2]
READY = '"message": "ready"'
START_TIMEOUT = 30.0

TABLES = """
    select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations'
"""


def eventually(holds: Callable[[], Any], seconds: float = 10.0, every: float = 0.05) -> Any:
    """What `holds` returns once it is true; fails the test if that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {holds}")
        time.sleep(every)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass(frozen=True)
class Stack:
    """The private servers: `env(service)` is what ops/stack tells that service."""

    folder: Path

    def env(self, service: str) -> dict[str, str]:
        lines = (self.folder / "env" / f"{service}.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def admin_uri(self) -> str:
        return self.env("admin")["AMQP_ADMIN_URI"]

    def rabbitmqctl(self, *arguments: str) -> str:
        command = [str(ROOT / "ops/stack/rabbitmqctl"), *arguments]
        environment = {**os.environ, "STACK_DIR": str(self.folder)}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout


@dataclass
class Service:
    """A service in a process of its own; `log` is the file that it writes to."""

    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def told(self) -> list[dict[str, Any]]:
        """The lines that are whole JSON objects, as all that the service itself says is."""
        told = []
        for line in self.lines():
            with contextlib.suppress(ValueError):
                told.append(json.loads(line))
        return [line for line in told if isinstance(line, dict)]

    def wait_until_ready(self) -> "Service":
        deadline = time.monotonic() + START_TIMEOUT
        while READY not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.log.name} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds: float = 25.0) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass
class Services:
    """Starts services and stops what is left of them."""

    stack: Stack
    folder: Path
    running: list[Service] = field(default_factory=list)

    def start(self, target: str, *, of: str, ready: bool = True, **env: str) -> Service:
        """`target` as the runner takes it, with the environment of the service `of` and `env` on top."""
        environment = {**os.environ, **self.stack.env(of), **env, "PYTHONPATH": str(ROOT)}
        return self.spawn([sys.executable, "-m", "shared.plumbing.runner", target], environment, ready=ready)

    def spawn(self, command: list[str], environment: Mapping[str, str], *, ready: bool = True) -> Service:
        log = self.folder / f"{len(self.running)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
        service = Service(process, log)
        self.running.append(service)
        return service.wait_until_ready() if ready else service

    def stop(self) -> None:
        for service in self.running:
            with contextlib.suppress(ProcessLookupError):
                service.process.send_signal(signal.SIGCONT)
                service.process.kill()
            service.process.wait()


@dataclass(frozen=True)
class Broker:
    """The queues as the administrator sees them."""

    uri: str

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        with Connection(self.uri) as connection:
            yield connection.default_channel

    def publish(self, *messages: Outgoing) -> None:
        publisher = Publisher(self.uri)
        publisher.publish(messages)
        publisher.close()

    def count(self, queue: str) -> int:
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    def take(self, queue: str) -> list[Any]:
        """Every message of the queue, taken away."""
        taken = []
        with self.channel() as channel:
            while message := channel.basic_get(queue, no_ack=True):
                taken.append(message)
        return taken

    def purge(self) -> None:
        with self.channel() as channel:
            for queue in QUEUES:
                channel.queue_purge(queue.name)
                channel.queue_purge(dead(queue.name))
            for pause in RETRY_PAUSES:
                channel.queue_purge(retry(pause))


def prepared(folder: Path) -> Stack:
    """The servers under `folder`, started if need be, every service's database migrated."""
    environment = {**os.environ, "STACK_DIR": str(folder)}
    subprocess.run([ROOT / "ops/stack/stack", "up"], env=environment, check=True, stdout=subprocess.DEVNULL)
    found = Stack(folder)
    for service in DATABASES:
        with psycopg.connect(found.env(service)["OWNER_DATABASE_URL"], autocommit=True) as conn:
            migrate(conn, ROOT / "services" / service / "migrations")
    return found


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The servers of this process: each worker of `pytest -n` has servers of its own, which its tests may stop."""
    folder, worker = os.environ.get("STACK_DIR", ".stack/test"), os.environ.get("PYTEST_XDIST_WORKER")
    return prepared(ROOT / (f"{folder}-{worker}" if worker else folder))


# Deleting a few rows takes a fortieth of the time of truncating all tables. As a replica, the server minds neither the
# order of the tables nor the triggers that protect events.
EMPTY = """
do $$
declare
    name text;
begin
    perform set_config('session_replication_role', 'replica', true);
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations' loop
        if pg_relation_size(quote_ident(name)::regclass) > 4194304 then
            execute format('truncate %I cascade', name);
        else
            execute format('delete from %I', name);
        end if;
    end loop;
end $$
"""


def _is_emptied(conn: psycopg.Connection[Any]) -> bool:
    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        conn.execute(EMPTY)
        return True
    return False


@contextlib.contextmanager
def emptied(stack: Stack, service: str) -> Iterator[Postgres]:
    """The service's database as its application role sees it, after everything in it is deleted."""
    admin = make_conninfo(stack.env("admin")["PG_ADMIN_URL"], dbname=service)
    with psycopg.connect(admin, autocommit=True) as conn:
        # A process that another test left behind may lock rows in another order.
        eventually(lambda: _is_emptied(conn))
    postgres = Postgres(stack.env(service)["DATABASE_URL"], 8)
    postgres.open()
    yield postgres
    postgres.close()


@pytest.fixture
def billing_db(stack: Stack) -> Iterator[Postgres]:
    """The database of billing, empty, as its application role sees it."""
    with emptied(stack, "billing") as postgres:
        yield postgres


@pytest.fixture
def calls_db(stack: Stack) -> Iterator[Postgres]:
    """The database of calls, empty, as its application role sees it."""
    with emptied(stack, "calls") as postgres:
        yield postgres


@pytest.fixture
def comments_db(stack: Stack) -> Iterator[Postgres]:
    """The database of comments, empty, as its application role sees it."""
    with emptied(stack, "comments") as postgres:
        yield postgres


@pytest.fixture
def recordings_db(stack: Stack) -> Iterator[Postgres]:
    """The database of recordings, empty, as its application role sees it."""
    with emptied(stack, "recordings") as postgres:
        yield postgres


@pytest.fixture
def gateway_db(stack: Stack) -> Iterator[Postgres]:
    """The database of the gateway, empty, as its application role sees it."""
    with emptied(stack, "gateway") as postgres:
        yield postgres


@pytest.fixture
def broker(stack: Stack) -> Broker:
    """The broker with every queue empty."""
    broker = Broker(stack.admin_uri)
    broker.purge()
    return broker


@pytest.fixture
def services(stack: Stack, tmp_path: Path) -> Iterator[Services]:
    started = Services(stack, tmp_path)
    yield started
    started.stop()
