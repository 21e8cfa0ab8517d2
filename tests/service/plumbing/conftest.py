"""Queues, tables and doubles for the tests of the plumbing."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection

from shared.contracts.topology import DEAD_EXCHANGE, RPC_EXCHANGE, dead, retry
from shared.testing.infrastructure import Service, Services, Stack, eventually
from shared.testing.proxy import Proxy
from tests.service.plumbing.stage import DOUBLES, PAUSES, WORK, Notes, Rpc, free_port

QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture
def notes(stack: Stack) -> Iterator[Notes]:
    with psycopg.connect(stack.env("calls")["OWNER_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("drop table if exists notes")
        conn.execute("create table notes (id bigint generated always as identity, word text)")
        conn.execute("truncate inbox, commands, outbox")
        yield Notes(conn)
        conn.execute("drop table notes")


@pytest.fixture
def work(stack: Stack) -> Iterator[str]:
    """A queue for Listener, with a dead-letter queue and short retry pauses."""
    with Connection(stack.admin_uri) as connection:
        channel = connection.default_channel
        channel.queue_declare(WORK, durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_declare(dead(WORK), durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_bind(dead(WORK), DEAD_EXCHANGE, WORK)
        for pause in PAUSES:
            back = QUORUM | {"x-dead-letter-exchange": "", "x-message-ttl": int(pause * 1000)}
            channel.exchange_declare(retry(pause), "topic", durable=True, auto_delete=False)
            channel.queue_declare(retry(pause), durable=True, auto_delete=False, arguments=back)
            channel.queue_bind(retry(pause), retry(pause), "#")
        yield WORK
        for queue in (WORK, dead(WORK), *map(retry, PAUSES)):
            channel.queue_delete(queue)
        for pause in PAUSES:
            channel.exchange_delete(retry(pause))


@pytest.fixture
def rpc(stack: Stack) -> Iterator[Rpc]:
    with Connection(stack.admin_uri) as connection:
        replies = str(uuid4())
        channel = connection.default_channel
        channel.queue_declare(replies, exclusive=True)
        channel.queue_bind(replies, RPC_EXCHANGE, replies)
        yield Rpc(connection, replies)
        channel.queue_delete("rpc-answers")


@pytest.fixture
def proxies(stack: Stack) -> Iterator[dict[str, Proxy]]:
    """`proxies["AMQP_URI"]` and `proxies["DATABASE_URL"]`, for the environment of a double."""
    made = {"AMQP_URI": Proxy(stack.admin_uri), "DATABASE_URL": Proxy(stack.env("calls")["DATABASE_URL"])}
    yield made
    for proxy in made.values():
        proxy.close()


@pytest.fixture
def start(stack: Stack, services: Services) -> Callable[..., Service]:
    """`start("Listener", HEARTBEAT="1")`: a double with the rights of the administrator at the broker."""

    def start(double: str, ready: bool = True, **env: Any) -> Service:
        told = {"AMQP_URI": stack.admin_uri} | {
            name: value.uri if isinstance(value, Proxy) else str(value) for name, value in env.items()
        }
        target = double if ":" in double else DOUBLES + double
        service = services.start(target, of="calls", ready=ready, **told)
        if double == "Listener" and ready:
            eventually(lambda: "subscription ready" in service.log.read_text())
        return service

    return start


@pytest.fixture
def web_port() -> int:
    return free_port()
