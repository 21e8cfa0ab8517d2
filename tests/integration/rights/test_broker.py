"""At the broker everybody may do what the topology says, and nothing else: every user, exchange, key and queue."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from amqp.exceptions import AccessRefused, AMQPError
from kombu import Connection

from shared.contracts.service import Service
from shared.contracts.topology import (
    DEAD_EXCHANGE,
    EXCHANGES,
    QUEUES,
    RETRY_PAUSES,
    RPC_EXCHANGE,
    RPC_SERVICES,
    SERVICES,
    dead,
    retry,
)
from tests.support.infrastructure import Broker, Stack
from tools.definitions import definitions

REPLY = str(UUID(int=7))
UNDECLARED = ("calls.resend", "calls.delete_all", "gateway.anything", "#", "*")
RETRIES = tuple(map(retry, RETRY_PAUSES))
NAMES = [service.name for service in SERVICES]
ALL_EXCHANGES = ("", "amq.topic", "amq.fanout", RPC_EXCHANGE, DEAD_EXCHANGE, *EXCHANGES, *RETRIES)
ALL_QUEUES = (
    *(queue.name for queue in QUEUES),
    *(dead(queue.name) for queue in QUEUES),
    *RETRIES,
    *(f"rpc-{name}" for name in RPC_SERVICES),
)
METHODS = {method for service in SERVICES for method in service.calls}
KEYS = {*METHODS, *UNDECLARED, REPLY, "call_placed", *(queue.name for queue in QUEUES)}
Attempt = Callable[[Any], object]


@pytest.fixture(scope="module")
def rpc_queues(stack: Stack) -> Iterator[None]:
    """The queues that services declare themselves, as if they ran."""
    with Connection(stack.admin_uri) as connection:
        channel = connection.default_channel
        for name in RPC_SERVICES:
            channel.queue_declare(f"rpc-{name}", durable=True, auto_delete=False)
        yield
        for name in RPC_SERVICES:
            channel.queue_delete(f"rpc-{name}")
    Broker(stack.admin_uri).purge()


class User:
    def __init__(self, uri: str) -> None:
        self._connection = Connection(uri)

    def may(self, attempt: Attempt) -> bool:
        channel = self._connection.channel()
        try:
            attempt(channel)
        except AccessRefused:
            return False
        with suppress(AMQPError):
            channel.close()
        return True

    def close(self) -> None:
        self._connection.release()


@pytest.fixture(params=SERVICES, ids=NAMES)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture
def user(stack: Stack, service: Service) -> Iterator[User]:
    user = User(stack.env(service.name)["AMQP_URI"])
    yield user
    user.close()


def own_queues(service: Service) -> set[str]:
    return {queue.name for queue in QUEUES if queue.service == service.name}


def may_publish(service: Service, exchange: str, key: str) -> bool:
    if exchange == RPC_EXCHANGE:
        return service.name in RPC_SERVICES and (key in service.calls or key == REPLY)
    if exchange in (DEAD_EXCHANGE, *RETRIES):
        return key in own_queues(service)
    return exchange in service.publishes


def publish(exchange: str, key: str) -> Attempt:
    def attempt(channel: Any) -> None:
        channel.confirm_select()
        channel.basic_publish_confirm(channel.prepare_message(b"{}"), exchange, key)

    return attempt


def declare_and_bind(queue: str, exchange: str, key: str) -> Attempt:
    def attempt(channel: Any) -> None:
        channel.queue_declare(queue, durable=True, auto_delete=False)
        try:
            channel.queue_bind(queue, exchange, key)
            channel.queue_unbind(queue, exchange, key)
        finally:
            with suppress(AMQPError, OSError):
                channel.queue_delete(queue)

    return attempt


@pytest.mark.usefixtures("rpc_queues")
def test_it_publishes_where_the_topology_says_and_nowhere_else(service: Service, user: User) -> None:
    tried = [(exchange, key) for exchange in ALL_EXCHANGES for key in KEYS]
    may = {(exchange, key) for exchange, key in tried if user.may(publish(exchange, key))}
    assert may == {(exchange, key) for exchange, key in tried if may_publish(service, exchange, key)}


@pytest.mark.usefixtures("rpc_queues")
def test_it_reads_its_own_queues_and_no_others(service: Service, user: User) -> None:
    may = {queue for queue in ALL_QUEUES if user.may(lambda channel, queue=queue: channel.basic_consume(queue))}
    own_rpc = {f"rpc-{service.name}"} if service.name in RPC_SERVICES else set()
    assert may == own_queues(service) | own_rpc


@pytest.mark.usefixtures("rpc_queues")
def test_it_cannot_listen_to_what_others_ask(service: Service, user: User) -> None:
    reply_queue = f"rpc.reply-{service.name}-{UUID(int=8)}"
    others = [f"{name}.*" for name in RPC_SERVICES if name != service.name]
    for key in ("#", "*", "*.*", "*.get", *others, *METHODS):
        assert not user.may(declare_and_bind(reply_queue, RPC_EXCHANGE, key)), key
    has_rpc = service.name in RPC_SERVICES
    assert user.may(declare_and_bind(reply_queue, RPC_EXCHANGE, str(UUID(int=8)))) is has_rpc
    own_queue = f"rpc-{service.name}"
    may_bind = user.may(lambda channel: channel.queue_bind(own_queue, RPC_EXCHANGE, f"{service.name}.*"))
    assert may_bind is has_rpc


def test_it_binds_nothing_to_the_exchanges_of_events(service: Service, user: User) -> None:
    reply_queue = f"rpc.reply-{service.name}-{UUID(int=8)}"
    for exchange in (*EXCHANGES, DEAD_EXCHANGE, *RETRIES, "amq.topic", "amq.fanout"):
        assert not user.may(declare_and_bind(reply_queue, exchange, "#")), exchange


@pytest.mark.usefixtures("rpc_queues")
def test_it_declares_and_deletes_nothing_of_the_topologys_nor_of_others(service: Service, user: User) -> None:
    foreign = [f"rpc-{name}" for name in RPC_SERVICES if name != service.name]
    for queue in (*(set(ALL_QUEUES) - {f"rpc-{name}" for name in RPC_SERVICES}), *foreign, "anything"):
        assert not user.may(lambda channel, queue=queue: channel.queue_delete(queue)), queue
        assert not user.may(lambda channel, queue=queue: channel.queue_declare(queue, durable=True)), queue
    for exchange in (*EXCHANGES, DEAD_EXCHANGE, "anything"):
        assert not user.may(lambda channel, name=exchange: channel.exchange_delete(name)), exchange
        assert not user.may(lambda channel, name=exchange: channel.exchange_declare(name, "topic")), exchange


@pytest.mark.parametrize("name", ["guest", "calls", "nobody"])
def test_nobody_comes_in_without_the_right_password(stack: Stack, name: str) -> None:
    host = stack.admin_uri.rpartition("@")[2]
    with pytest.raises(AccessRefused), Connection(f"amqp://{name}:guest@{host}") as connection:
        connection.connect()


def of_the_topology(name: str) -> bool:
    """Not a queue that services declare themselves, nor one that a test has left."""
    return not name.startswith(("rpc-", "rpc.reply-", "double.")) and not name.endswith("of.a.test")


def test_the_broker_is_as_the_topology_says(stack: Stack) -> None:
    live = json.loads(stack.rabbitmqctl("--quiet", "export_definitions", "-"))
    declared = definitions(dict.fromkeys(["admin", *NAMES], "a word"))
    assert {user["name"] for user in live["users"]} == {"admin", *NAMES}
    for kind, names in {"queues": ("name",), "exchanges": ("name",), "bindings": ("destination", "source")}.items():
        found = [_plain(one) for one in live[kind] if all(of_the_topology(one[name]) for name in names)]
        assert sorted(found) == sorted(map(_plain, declared[kind])), kind
    for kind in ("permissions", "topic_permissions"):
        assert sorted(map(_plain, live[kind])) == sorted(map(_plain, declared[kind])), kind


def _plain(one: dict[str, Any]) -> str:
    kept = {name: value for name, value in one.items() if name != "internal" and (name != "type" or value == "topic")}
    return json.dumps(kept, sort_keys=True)


def test_every_queue_of_events_is_on_disk_in_a_quorum_and_has_a_place_for_its_dead(stack: Stack) -> None:
    live = json.loads(stack.rabbitmqctl("--quiet", "export_definitions", "-"))
    queues = {queue["name"]: queue for queue in live["queues"]}
    for queue in QUEUES:
        arguments = queues[queue.name]["arguments"]
        assert (arguments["x-queue-type"], queues[queue.name]["durable"]) == ("quorum", True)
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-delivery-limit"] >= 200
        assert dead(queue.name) in queues
