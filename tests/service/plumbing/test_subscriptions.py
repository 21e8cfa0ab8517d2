"""Listening: what is heard is worked off once, whatever happens to handler, broker, database and process."""

import json
from collections.abc import Callable
from itertools import count, pairwise

from shared.plumbing.publisher import Outgoing
from tests.service.plumbing.stage import PAUSES, Notes, heard, parked, say
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Service, eventually

Start = Callable[..., Service]


_numbers = count()


def new() -> str:
    """A word that has not been said before: Listener remembers how often it has heard each."""
    return f"w{next(_numbers)}"


@sized("R1")
def test_a_handler_that_fails_on_every_message_at_first_loses_none(
    size: Size, listener: Service, work: str, notes: Notes, broker: Broker
) -> None:
    words = [new() for _ in range(size.messages)]
    broker.publish(*(say(word, fails=3) for word in words))
    eventually(notes(*words), seconds=10 + size.messages / 10, every=0.2)
    assert (broker.count(work), parked(broker)) == (0, [])


def test_the_pauses_between_attempts_grow(listener: Service, work: str, notes: Notes, broker: Broker) -> None:
    poison = new()
    broker.publish(say(poison, fails=1000))
    eventually(lambda: parked(broker))
    times = [line["monotonic"] for line in heard(listener, poison)]
    assert len(times) == 6
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= least for pause, least in zip(pauses, PAUSES, strict=True)), pauses


@sized("R3")
def test_undecodable_messages_are_parked_with_their_bytes_and_delay_nobody(
    size: Size, listener: Service, work: str, notes: Notes, broker: Broker
) -> None:
    good = new()
    bodies = [bytes([0xFF, number % 256, number // 256]) + b'{"word": ' for number in range(size.messages)]
    broker.publish(*(Outgoing("", work, body) for body in bodies), say(good))
    eventually(notes(good), seconds=1 + size.messages / 100)
    letters = eventually(lambda: broker.count(f"{work}.dead") == size.messages and parked(broker))
    assert sorted(letter.body for letter in letters) == sorted(bodies)
    assert {letter.headers["x-reason"] for letter in letters} == {"undecodable"}
    assert listener.alive()


def test_a_foreign_encoding_does_not_change_the_bytes_that_are_parked(
    listener: Service, work: str, notes: Notes, broker: Broker
) -> None:
    raw = "ї".encode("utf-16")
    broker.publish(Outgoing("", work, raw, properties={"content_encoding": "utf-16"}))
    [letter] = eventually(lambda: parked(broker))
    assert (letter.body, letter.properties["content_encoding"]) == ("ї", "utf-16")


def test_a_refused_message_is_parked_at_once_and_its_neighbours_pass(
    listener: Service, work: str, notes: Notes, broker: Broker
) -> None:
    before, bad, after = new(), new(), new()
    broker.publish(say(before), say(bad, reject=True), say(after))
    [letter] = eventually(lambda: parked(broker))
    eventually(notes(before, after))
    assert letter.headers["x-reason"] == "rejected"
    assert len(heard(listener, bad)) <= 3, "at most with its batch, with a half of it, and alone"


def test_one_bad_message_costs_its_batch_a_few_transactions(
    start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    words = [new() for _ in range(50)]
    broker.publish(*(say(word, reject=number == 20) for number, word in enumerate(words)))
    first = start("Listener")
    eventually(notes(*words[:20], *words[21:]))
    assert len(parked(broker)) == 1
    transactions = [
        line for line in first.told() if line["message"] in ("messages processed", "batch failed, splitting it")
    ]
    assert len(transactions) <= 2 * 6, "two for each halving of fifty"


def test_a_retried_message_keeps_its_routing_key(listener: Service, work: str, notes: Notes, broker: Broker) -> None:
    word = new()
    with broker.channel() as channel:
        channel.queue_bind(work, "calls.events", "call_of_a_double")
    broker.publish(Outgoing("calls.events", "call_of_a_double", json.dumps({"word": word, "fails": 3})))
    eventually(notes(word))
    assert {line["key"] for line in heard(listener, word)} == {"call_of_a_double"}


def test_the_correlation_id_follows_a_message_into_the_log_of_its_handler(
    listener: Service, work: str, notes: Notes, broker: Broker
) -> None:
    word = new()
    broker.publish(say(word, about="trace-7"))
    [line] = eventually(lambda: heard(listener, word))
    assert (line["correlation_id"], line["service"], line["level"]) == ("trace-7", "listener", "INFO")
