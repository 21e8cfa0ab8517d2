"""Listening: what is heard is worked off once, whatever happens to handler, broker, database and process."""

import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from shared.plumbing.publisher import Outgoing
from shared.testing.infrastructure import Broker, Service, eventually
from shared.testing.proxy import Proxy
from tests.service.plumbing.stage import PAUSES, Notes, parked, say
from tests.sizes import Size, sized

Start = Callable[..., Service]


def hearings(service: Service, word: str) -> list[dict[str, Any]]:
    """Every time that the service heard the word."""
    return [line for line in service.told() if line["message"] == "heard" and line.get("word") == word]


@sized("R1")
def test_a_handler_that_fails_on_every_message_at_first_loses_none(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    words = [f"w{number}" for number in range(size.messages)]
    broker.publish(*(say(word, fails=3) for word in words))
    start("Listener")
    eventually(notes(*words), seconds=5 + size.messages / 50)
    assert (broker.count(work), parked(broker)) == (0, [])


@sized("R2")
def test_a_poison_message_is_parked_after_six_attempts_and_holds_up_nobody(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    listener = start("Listener", RETRY_PAUSES=list(size.pauses))
    broker.publish(say("poison", fails=1000, about="trace"))
    broker.publish(*(say(f"good {number}") for number in range(20)))
    eventually(lambda: len(notes.words()) == 20, seconds=2)
    [letter] = eventually(lambda: parked(broker), seconds=sum(size.pauses) + 5)
    assert 6 <= len(hearings(listener, "poison")) <= 12, "six times alone, at most as often in a batch before"
    assert (letter.headers["x-attempts"], letter.headers["x-reason"]) == (6, "failed")
    assert letter.headers["x-error"] == "RuntimeError: poison fails"
    assert letter.properties["correlation_id"] == "trace"
    assert json.loads(letter.body)["word"] == "poison"


def test_the_pauses_between_attempts_grow(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    listener = start("Listener")
    broker.publish(say("poison", fails=1000))
    eventually(lambda: parked(broker))
    times = [line["monotonic"] for line in hearings(listener, "poison")]
    assert len(times) == 6
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= least for pause, least in zip(pauses, PAUSES, strict=True)), pauses


@sized("R3")
def test_undecodable_messages_are_parked_with_their_bytes_and_delay_nobody(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    listener = start("Listener")
    bodies = [bytes([0xFF, number % 256, number // 256]) + b'{"word": ' for number in range(size.messages)]
    broker.publish(*(Outgoing("", work, body) for body in bodies), say("good"))
    eventually(notes("good"), seconds=1 + size.messages / 100)
    letters = eventually(lambda: broker.count(f"{work}.dead") == size.messages and parked(broker))
    assert sorted(letter.body for letter in letters) == sorted(bodies)
    assert {letter.headers["x-reason"] for letter in letters} == {"undecodable"}
    assert listener.alive()


def test_a_foreign_encoding_does_not_change_the_bytes_that_are_parked(
    start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    start("Listener")
    raw = "ї".encode("utf-16")
    broker.publish(Outgoing("", work, raw, properties={"content_encoding": "utf-16"}))
    [letter] = eventually(lambda: parked(broker))
    assert (letter.body, letter.properties["content_encoding"]) == ("ї", "utf-16")


def test_a_refused_message_is_parked_at_once_and_its_neighbours_pass(
    start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    broker.publish(say("a"), say("bad", reject=True), say("b"))
    listener = start("Listener")
    [letter] = eventually(lambda: parked(broker))
    eventually(notes("a", "b"))
    assert letter.headers["x-reason"] == "rejected"
    assert len(hearings(listener, "bad")) == 2, "once with its batch, once alone"


def test_a_retried_message_keeps_its_routing_key(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    with broker.channel() as channel:
        channel.queue_bind(work, "calls.events", "call_of_a_double")
    listener = start("Listener")
    broker.publish(Outgoing("calls.events", "call_of_a_double", json.dumps({"word": "a", "fails": 3})))
    eventually(notes("a"))
    assert {line["key"] for line in hearings(listener, "a")} == {"call_of_a_double"}


def test_work_that_a_kill_interrupted_is_done_once(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    listener = start("Listener")
    broker.publish(say("a", seconds=1))
    eventually(lambda: hearings(listener, "a"))
    listener.kill()
    assert notes.words() == []
    start("Listener")
    eventually(notes("a"))


@sized("R11")
def test_what_was_said_before_a_listener_ever_started_is_heard(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    words = [f"w{number}" for number in range(size.messages)]
    broker.publish(*map(say, words))
    start("Listener")
    eventually(notes(*words))


def test_while_the_database_is_away_a_message_waits_where_it_is(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    proxies["DATABASE_URL"].cut()
    broker.publish(say("a"))
    eventually(lambda: "waiting for a server" in listener.log.read_text())
    assert parked(broker) == []
    proxies["DATABASE_URL"].resume()
    eventually(notes("a"), seconds=8)
    assert listener.alive()


def test_a_database_that_stops_answering_is_waited_for(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    proxies["DATABASE_URL"].pause()
    broker.publish(say("a"))
    eventually(lambda: "waiting for a server" in listener.log.read_text())
    proxies["DATABASE_URL"].resume()
    eventually(notes("a"), seconds=8)


def test_a_broker_that_went_away_is_listened_to_again(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    proxies["AMQP_URI"].cut()
    broker.publish(say("a"))
    time.sleep(5)
    proxies["AMQP_URI"].resume()
    eventually(notes("a"), seconds=3)
    assert listener.alive()


def test_a_line_that_went_dead_is_replaced(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    start("Listener", **proxies, HEARTBEAT=1)
    proxies["AMQP_URI"].strand()
    broker.publish(say("a"))
    eventually(notes("a"), seconds=8)


def test_a_line_reset_while_a_handler_works_gives_the_work_to_nobody_else_twice(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    broker.publish(say("a", seconds=0.5))
    eventually(lambda: hearings(listener, "a"))
    proxies["AMQP_URI"].reset()
    eventually(lambda: "a" in notes.words())
    broker.publish(say("b"))
    eventually(lambda: "b" in notes.words())
    assert listener.alive()


def test_the_correlation_id_follows_a_message_into_the_log_of_its_handler(
    start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    listener = start("Listener")
    broker.publish(say("a", about="trace-7"))
    [line] = eventually(lambda: hearings(listener, "a"))
    assert (line["correlation_id"], line["service"], line["level"]) == ("trace-7", "listener", "INFO")
