"""Publishing: what publish() returned from, the broker has; what it has not, publish() does not return from."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import eventlet
import pytest

from shared.contracts.errors import Unavailable
from shared.plumbing.publisher import Outgoing, Publisher, Publishers
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Stack, eventually
from tests.support.proxy import Proxy

QUEUE = "publisher.of.a.test"


@pytest.fixture
def queue(broker: Broker) -> Iterator[str]:
    with broker.channel() as channel:
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        yield QUEUE
        channel.queue_delete(QUEUE)


@pytest.fixture
def line(stack: Stack) -> Iterator[Proxy]:
    proxy = Proxy(stack.admin_uri)
    yield proxy
    proxy.close()


def to(queue: str, body: str | bytes = "{}", **how: Any) -> Outgoing:
    return Outgoing("", queue, body, **how)


def test_a_message_is_json_that_survives_the_broker_and_says_whom_it_is_for(broker: Broker, queue: str) -> None:
    broker.publish(to(queue, '"їжак"', correlation_id="trace"))
    [message] = broker.take(queue)
    assert message.body == '"їжак"'
    assert message.properties["delivery_mode"] == 2
    assert message.properties["content_type"] == "application/json"
    assert message.properties["correlation_id"] == "trace"


def test_others_have_their_turn_while_many_messages_are_published(broker: Broker, queue: str) -> None:
    turns = 0

    def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            eventlet.sleep(0)

    worker = eventlet.spawn(work)
    # Nothing is patched here, so that no wait for the broker gives a turn to anybody.
    broker.publish(*(to(queue) for _ in range(500)))
    worker.kill()
    assert turns >= 9


def packets_sent(publisher: Publisher) -> int:
    """tcpi_segs_out of linux/tcp.h"""
    line = publisher._connection.connection.transport.sock  # type: ignore[union-attr]
    return int(struct.unpack_from("I", line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144), 136)[0])


def test_many_messages_go_in_few_packets(stack: Stack, queue: str) -> None:
    publisher = Publisher(stack.admin_uri)
    publisher.publish([to(queue)])
    before = packets_sent(publisher)
    publisher.publish([to(queue) for _ in range(500)])
    assert packets_sent(publisher) - before < 100
    publisher.close()


def test_bytes_pass_as_they_came(broker: Broker, queue: str) -> None:
    broker.publish(to(queue, b"\xff\x00"))
    [message] = broker.take(queue)
    assert message.body == b"\xff\x00"


def test_a_lone_surrogate_passes_as_its_escape(broker: Broker, queue: str) -> None:
    broker.publish(to(queue, '"\ud800"'))
    [message] = broker.take(queue)
    assert message.body == '"\\ud800"'


def test_properties_of_the_callers_own_win(broker: Broker, queue: str) -> None:
    broker.publish(to(queue, b"x", properties={"content_encoding": "binary", "reply_to": "me"}))
    [message] = broker.take(queue)
    assert (message.properties["content_encoding"], message.properties["reply_to"]) == ("binary", "me")


def test_an_expiration_is_milliseconds_on_the_wire(broker: Broker, queue: str) -> None:
    broker.publish(to(queue, properties={"expiration": "60000"}))
    [message] = broker.take(queue)
    assert message.properties["expiration"] == "60000"


def test_a_message_that_no_queue_takes_is_an_error_and_the_next_is_none(broker: Broker, queue: str) -> None:
    publisher = Publisher(broker.uri)
    with pytest.raises(Unavailable, match="No queue is bound"):
        publisher.publish([to(queue), to("nowhere")])
    publisher.publish([to(queue)])
    publisher.close()
    assert len(broker.take(queue)) == 2


def test_a_message_that_the_broker_refuses_is_an_error(broker: Broker) -> None:
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with broker.channel() as channel:
        channel.queue_declare("full.of.a.test", durable=True, auto_delete=False, arguments=full)
        try:
            with pytest.raises(Unavailable, match="refused"):
                broker.publish(*[to("full.of.a.test")] * 3)
        finally:
            channel.queue_delete("full.of.a.test")


@sized("R14")
def test_many_messages_are_published_between_two_waits(size: Size, queue: str, stack: Stack, broker: Broker) -> None:
    line = Proxy(stack.admin_uri, delay=0.05)
    publisher = Publisher(line.uri, timeout=600)
    publisher.publish([to(queue)])
    started = time.monotonic()
    publisher.publish([to(queue, str(number)) for number in range(size.messages)])
    taken = time.monotonic() - started
    publisher.close()
    line.close()
    assert broker.count(queue) == size.messages + 1
    assert taken < size.messages * 0.05 / 20, "on a line of 50 ms, one by one would take twenty times as long"


def test_a_broker_that_stops_is_not_waited_for_beyond_the_deadline(broker: Broker, queue: str, line: Proxy) -> None:
    publisher = Publisher(line.uri, timeout=0.5)
    publisher.publish([to(queue)])
    line.pause()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        publisher.publish([to(queue)])
    assert time.monotonic() - started < 2
    line.resume()
    publisher.publish([to(queue)])
    publisher.close()


@pytest.mark.parametrize("trouble", ["cut", "reset"])
def test_a_broker_that_was_away_is_published_to_again_at_once(
    broker: Broker, queue: str, line: Proxy, trouble: str
) -> None:
    publisher = Publisher(line.uri)
    publisher.publish([to(queue)])
    getattr(line, trouble)()
    if trouble == "cut":
        with pytest.raises(Unavailable):
            publisher.publish([to(queue)])
        line.resume()
    time.sleep(0.05)
    publisher.publish([to(queue)])
    publisher.close()
    assert len(broker.take(queue)) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_was_confirmed_is_there_however_often_the_line_breaks(broker: Broker, queue: str, line: Proxy) -> None:
    publisher, confirmed, over = Publisher(line.uri, timeout=2), set[str](), threading.Event()

    def break_the_line() -> None:
        while not over.wait(0.07):
            line.reset()

    breaker = threading.Thread(target=break_the_line)
    breaker.start()
    for number in range(60):
        batch = [f"{number}.{part}" for part in range(20)]
        try:
            publisher.publish([to(queue, word) for word in batch])
        except Unavailable:
            continue
        confirmed.update(batch)
    over.set()
    breaker.join()
    publisher.close()
    arrived = {message.body for message in broker.take(queue)}
    assert confirmed
    assert confirmed <= arrived


def test_a_few_publishers_serve_many(broker: Broker, queue: str) -> None:
    publishers = Publishers(broker.uri, size=2)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: publishers.publish([to(queue, str(number))]), range(50)))
    for publisher in publishers._idle.queue:
        publisher.close()
    eventually(lambda: broker.count(queue) == 50)
