"""The relay: what was written reaches the broker, whatever happens to the broker, the database and the relay."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests

from shared.contracts.topology import QUEUES, queues_of
from shared.plumbing import relay as plumbing
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Service, Stack, eventually
from tests.support.proxy import Proxy

Start = Callable[..., Service]
WRITE = """
    insert into outbox (key, correlation_id, body)
    select 'call_of_a_double', %s, n from generate_series(%s::int, %s::int) as n
"""
QUEUE = "gateway.journal"
HEARD = queues_of("calls")
RPC = HEARD[0]


WRITE_LONG = """
    insert into outbox (key, correlation_id, body)
    select 'call_of_a_double', '', repeat('ї', length / 2) from unnest(%s::int[]) as length
"""


class Outbox:
    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn, self.written, self.found, self.trace = conn, 0, set[int](), uuid4().hex

    def write(self, number: int = 1) -> None:
        self.conn.execute(WRITE, (self.trace, self.written + 1, self.written + number))
        self.written += number

    def left(self) -> int:
        row = self.conn.execute("select count(*) from outbox").fetchone()
        return int(row[0]) if row else 0

    def ours(self, broker: Broker, queue: str = QUEUE) -> list[Any]:
        """The messages in the queue that came from here; what another test left on its way comes when it likes."""
        return [one for one in broker.take(queue) if one.properties.get("correlation_id") == self.trace]

    def arrived(self, broker: Broker, seconds: float = 10.0) -> None:
        """All that was written is in the queue; some of it perhaps twice."""

        def all_of_it() -> bool:
            self.found.update(int(one.body) for one in self.ours(broker))
            return len(self.found) >= self.written and not self.left()

        eventually(all_of_it, seconds, every=0.2)
        assert self.found == set(range(1, self.written + 1))


@pytest.fixture
def outbox(stack: Stack) -> Any:
    with psycopg.connect(stack.env("calls")["OWNER_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("truncate outbox")
        yield Outbox(conn)
        conn.execute("truncate outbox")


@sized("R12")
def test_what_was_written_while_the_broker_was_down_arrives_when_it_is_back(
    size: Size, start: Start, outbox: Outbox, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    relay = start("CallsRelay", **proxies)
    proxies["AMQP_URI"].cut()
    until = time.monotonic() + size.outage
    for _ in range(size.commands):
        outbox.write()
        time.sleep(max(0.0, min(0.01, until - time.monotonic())))
    time.sleep(max(0.0, until - time.monotonic()))
    proxies["AMQP_URI"].resume()
    outbox.arrived(broker, seconds=15)
    assert relay.alive()


@sized("R13")
@pytest.mark.parametrize("trouble", ["pause", "strand"])
def test_a_broker_that_stops_answering_holds_up_neither_writers_nor_for_long_the_relay(
    size: Size,
    start: Start,
    outbox: Outbox,
    broker: Broker,
    proxies: dict[str, Proxy],
    web_port: int,
    trouble: str,
) -> None:
    relay = start("CallsRelay", CONFIRM_TIMEOUT=1, **proxies)
    start("Asker", WEB_PORT=web_port, **proxies)
    outbox.write(10)
    outbox.arrived(broker)
    getattr(proxies["AMQP_URI"], trouble)()
    outbox.write(10)
    until = time.monotonic() + size.outage
    while time.monotonic() < until:
        started = time.monotonic()
        requests.get(f"http://127.0.0.1:{web_port}/query", timeout=5).raise_for_status()
        assert time.monotonic() - started < 1
        time.sleep(0.05)
    if trouble == "pause":
        assert outbox.left() == 10, "nothing is deleted that the broker has not confirmed"
        proxies["AMQP_URI"].resume()
    outbox.arrived(broker, seconds=15)
    assert relay.alive()


@pytest.mark.parametrize("trouble", ["cut", "pause"])
def test_a_database_that_was_away_is_read_again(
    start: Start, outbox: Outbox, broker: Broker, proxies: dict[str, Proxy], trouble: str
) -> None:
    relay = start("CallsRelay", **proxies)
    getattr(proxies["DATABASE_URL"], trouble)()
    outbox.write(10)
    time.sleep(1)
    proxies["DATABASE_URL"].resume()
    outbox.arrived(broker)
    assert relay.alive()


def test_one_relay_works_and_another_takes_over_when_it_dies(start: Start, outbox: Outbox, broker: Broker) -> None:
    first, second = start("CallsRelay"), start("CallsRelay")
    outbox.write(10)
    outbox.arrived(broker)
    for relay in (first, second):
        relay.kill()
        outbox.write(10)
        if relay is first:
            outbox.arrived(broker)
    assert outbox.left() == 10


def beats(broker: Broker) -> list[Any]:
    return [one for one in broker.take(QUEUE) if one.delivery_info["routing_key"] == "heartbeat"]


@contextmanager
def listening(broker: Broker, *queues: str) -> Iterator[None]:
    """Somebody takes messages from the queues."""
    with broker.channel() as channel:
        channel.queue_declare(RPC, durable=True, auto_delete=False)
        for queue in queues:
            channel.basic_consume(queue, no_ack=True)
        yield
        channel.queue_delete(RPC)


def test_the_heartbeat_of_an_owner_tells_the_age_of_its_outbox(start: Start, outbox: Outbox, broker: Broker) -> None:
    start("CallsRelay")
    with listening(broker, *HEARD):
        first, *_ = eventually(lambda: beats(broker), every=0.3)
    assert '"owner": "calls", "outbox_age": 0.0' in first.body


@pytest.mark.parametrize("deaf", HEARD)
def test_an_owner_that_listens_no_more_has_no_heartbeat(start: Start, outbox: Outbox, broker: Broker, deaf) -> None:
    relay = start("CallsRelay")
    with listening(broker, *(queue for queue in HEARD if queue != deaf)):
        outbox.write()
        outbox.arrived(broker)
        time.sleep(2.5)
        assert beats(broker) == []
    assert relay.alive()


def test_the_correlation_id_of_the_writer_is_that_of_the_message(start: Start, outbox: Outbox, broker: Broker) -> None:
    start("CallsRelay")
    outbox.write()
    [message] = eventually(lambda: outbox.ours(broker))
    assert message.delivery_info["routing_key"] == "call_of_a_double"


WRITE_ENDED = """
    insert into outbox (key, phase, correlation_id, body)
    values ('call_of_a_double', 'ringing', %(trace)s, 1), ('call_of_a_double', 'ended', %(trace)s, 2)
"""


def test_who_needs_ended_calls_only_is_told_of_no_others_and_who_hears_all_hears_each_once(
    start: Start, outbox: Outbox, broker: Broker
) -> None:
    outbox.conn.execute(WRITE_ENDED, {"trace": outbox.trace})
    start("CallsRelay")
    outbox.written = 2
    heard = eventually(lambda: outbox.ours(broker, "billing.calls"))
    assert [(one.body, one.delivery_info["routing_key"]) for one in heard] == [("2", "call_of_a_double")]
    assert [one.body for one in outbox.ours(broker)] == ["1", "2"]


def test_what_no_queue_takes_stays_in_the_outbox(start: Start, outbox: Outbox, broker: Broker) -> None:
    edges = [
        (queue.name, "calls.events", key) for queue in QUEUES if "calls.events" in queue.exchanges for key in queue.keys
    ]
    with broker.channel() as channel:
        for edge in edges:
            channel.queue_unbind(*edge)
        try:
            relay = start("CallsRelay")
            outbox.write(3)
            eventually(lambda: "no queue is bound" in relay.log.read_text())
            assert outbox.left() == 3
        finally:
            for edge in edges:
                channel.queue_bind(*edge)
    outbox.arrived(broker)


@pytest.mark.parametrize(
    ("lengths", "taken"),
    [((6, 6, 6, 6), 3), ((20, 1), 1), ((15, 20, 1), 2), ((1,) * 30, 16)],
    ids=lambda told: str(told)[:20],
)
def test_what_is_taken_at_once_has_a_bound_in_bytes_and_is_never_nothing(
    outbox: Outbox, lengths: tuple[int, ...], taken: int
) -> None:
    """Sixteen mebibytes, and the one message that goes beyond them."""
    outbox.conn.execute(WRITE_LONG, ([length * 1024 * 1024 for length in lengths],))
    rows = outbox.conn.execute(
        plumbing.SELECT_NEXT, {"batch": plumbing.MAX_MESSAGES_PER_BATCH, "bytes": plumbing.MAX_BYTES_PER_BATCH}
    ).fetchall()
    assert [len(body.encode()) // 1024 // 1024 for *_, body, _ in rows] == list(lengths[:taken])
