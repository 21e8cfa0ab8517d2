"""Listening while things break: kills, databases and brokers that go away, lines that go dead."""

import json
import time
from collections.abc import Callable

from tests.service.plumbing.stage import Notes, heard, parked, say
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Service, eventually
from tests.support.proxy import Proxy

Start = Callable[..., Service]


def test_work_that_a_kill_interrupted_is_done_once(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    listener = start("Listener")
    broker.publish(say("a", seconds=1))
    eventually(lambda: heard(listener, "a"))
    listener.kill()
    assert notes.words() == []
    start("Listener")
    eventually(notes("a"))


@sized("R2")
def test_a_poison_message_is_parked_after_six_attempts_and_holds_up_nobody(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    listener = start("Listener", RETRY_PAUSES=list(size.pauses))
    broker.publish(say("poison", fails=1000, about="trace"))
    broker.publish(*(say(f"good {number}") for number in range(20)))
    eventually(lambda: len(notes.words()) == 20, seconds=2)
    [letter] = eventually(lambda: parked(broker), seconds=sum(size.pauses) + 5)
    assert 6 <= len(heard(listener, "poison")) <= 15, "six times alone, and with others while its batch was halved"
    assert (letter.headers["x-attempts"], letter.headers["x-reason"]) == (6, "failed")
    assert letter.headers["x-error"] == "RuntimeError: poison fails"
    assert letter.properties["correlation_id"] == "trace"
    assert json.loads(letter.body)["word"] == "poison"


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


def test_a_batch_that_is_too_much_for_its_time_is_tried_in_halves(
    start: Start, work: str, notes: Notes, broker: Broker
) -> None:
    listener = start("Listener")
    words = [f"w{number}" for number in range(4)]
    broker.publish(*(say(word, seconds=0.4, within=1) for word in words))
    eventually(notes(*words), seconds=15)
    assert parked(broker) == []
    assert len(heard(listener, "w0")) == 4, "three times with all the others, and once with half of them"


def test_a_message_that_waited_for_a_server_with_others_is_not_parked(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    proxies["DATABASE_URL"].cut()
    words = [f"w{number}" for number in range(4)]
    broker.publish(*map(say, words))
    eventually(lambda: listener.log.read_text().count("splitting it") == 2, seconds=20)
    proxies["DATABASE_URL"].resume()
    eventually(notes(*words), seconds=10)
    assert (parked(broker), listener.alive()) == ([], True)


def test_a_broker_that_went_away_is_listened_to_again(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy]
) -> None:
    listener = start("Listener", **proxies)
    proxies["AMQP_URI"].cut()
    broker.publish(say("a"))
    time.sleep(3)
    proxies["AMQP_URI"].resume()
    eventually(notes("a"), seconds=2.5)
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
    eventually(lambda: heard(listener, "a"))
    proxies["AMQP_URI"].reset()
    eventually(lambda: "a" in notes.words())
    broker.publish(say("b"))
    eventually(lambda: "b" in notes.words())
    assert listener.alive()
