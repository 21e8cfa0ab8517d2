"""The runner: waits for what it needs, refuses what would hurt, and ends when it is told to."""

import os
import signal
import sys
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.service.plumbing.stage import Notes, Rpc, say
from tests.support.infrastructure import Broker, Service, Services, Stack, eventually
from tests.support.proxy import Proxy

Start = Callable[..., Service]


def ended(service: Service, seconds: float = 15.0) -> tuple[int, str]:
    return service.process.wait(seconds), service.log.read_text()


BLOCKING = "tests.service.plumbing.blocking:Answers"


@pytest.mark.parametrize("blocks", ["throughout", "a tenth of a second"])
def test_a_service_whose_queries_would_stop_all_else_does_not_start(start: Start, blocks: str) -> None:
    status, said = ended(start(BLOCKING, ready=False, BLOCKS=blocks))
    assert status == 1
    assert "A query blocks other work" in said


def test_a_machine_that_was_late_once_keeps_no_service_from_starting(start: Start) -> None:
    assert start(BLOCKING, BLOCKS="once").alive()


def test_psycopg_waits_as_eventlet_needs_whatever_the_environment_says(start: Start) -> None:
    assert start("Answers", PSYCOPG_WAIT_FUNC="wait_c").alive()


def test_a_database_that_may_forget_is_refused(start: Start, stack: Stack) -> None:
    with psycopg.connect(stack.env("admin")["PG_ADMIN_URL"], autocommit=True) as conn:
        conn.execute("alter role calls_app set synchronous_commit = off")
        try:
            status, said = ended(start("Answers", ready=False))
        finally:
            conn.execute("alter role calls_app reset synchronous_commit")
    assert (status, "synchronous_commit = off" in said) == (1, True)


def test_a_missing_setting_is_said_in_a_sentence(services: Services) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("AMQP_URI", "DATABASE_URL")}
    command = [sys.executable, "-m", "shared.plumbing.runner", "tests.service.plumbing.doubles:Answers"]
    status, said = ended(services.spawn(command, environment, ready=False))
    assert (status, "AMQP_URI, DATABASE_URL in the environment" in said, "Traceback" in said) == (1, True, False)


@pytest.mark.parametrize("server", ["AMQP_URI", "DATABASE_URL"])
def test_a_server_that_comes_up_late_is_waited_for(
    start: Start, work: str, notes: Notes, broker: Broker, proxies: dict[str, Proxy], server: str
) -> None:
    proxies[server].cut()
    listener = start("Listener", ready=False, **proxies)
    eventually(lambda: "waiting for servers" in listener.log.read_text())
    broker.publish(say("a"))
    proxies[server].resume()
    eventually(notes("a"))


def test_work_at_hand_is_finished_before_the_end(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    listener = start("Listener")
    broker.publish(say("a", seconds=1))
    eventually(lambda: '"heard"' in listener.log.read_text())
    assert listener.terminate(5) == 0
    assert (notes.words(), broker.count(work)) == (["a"], 0)


def test_a_second_word_to_stop_changes_nothing(start: Start, rpc: Rpc, notes: Notes) -> None:
    answers = start("Answers")
    rpc.send("note", {"args": [], "kwargs": {"word": "a", "seconds": 1}})
    time.sleep(0.3)
    for word in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        answers.process.send_signal(word)
        time.sleep(0.1)
    assert ended(answers, 5)[0] == 0
    assert (notes.words(), "Traceback" in answers.log.read_text()) == (["a"], False)


@pytest.mark.parametrize("how", ["sleeping", "spinning"])
def test_work_that_never_ends_does_not_keep_the_service(start: Start, work: str, broker: Broker, how: str) -> None:
    stubborn = start("Stubborn", DRAIN=1)
    broker.publish(say(how))
    eventually(lambda: '"heard"' in stubborn.log.read_text())
    started = time.monotonic()
    stubborn.process.terminate()
    _, said = ended(stubborn, 8)
    assert time.monotonic() - started < 7
    assert ("still busy after the drain time" in said) == (how == "sleeping"), "who spins cannot even be asked"
    eventually(lambda: broker.count(work) == 1)


def test_what_holds_up_all_the_rest_is_said_with_its_place_in_the_code(start: Start, rpc: Rpc) -> None:
    answers = start("Answers")
    time.sleep(1)
    rpc.send("block", {"args": [], "kwargs": {"seconds": 1.5}})
    [said] = eventually(lambda: [line for line in answers.told() if "event loop blocked" in line["message"]])
    assert "in block\n" in said["stack"]
    assert said["service"] == "answers"
    eventually(rpc.reply)
    assert len([line for line in answers.told() if "event loop blocked" in line["message"]]) == 1, (
        "once, and not at rest"
    )


@pytest.mark.parametrize("double", ["Listener", "Answers", "CallsRelay"])
def test_a_service_whose_broker_is_away_ends_when_told(
    start: Start, work: str, proxies: dict[str, Proxy], double: str
) -> None:
    service = start(double, DRAIN=1, **proxies)
    proxies["AMQP_URI"].cut()
    time.sleep(0.5)
    started = time.monotonic()
    service.process.terminate()
    ended(service, 8)
    assert time.monotonic() - started < 7


def test_every_line_of_the_log_is_an_object_with_its_time_service_and_level(start: Start) -> None:
    answers = start("Answers")
    answers.terminate()
    assert len(answers.told()) == len(answers.lines())
    for line in answers.told():
        assert (line["service"], line["level"], line["at"][-1]) == ("answers", "INFO", "Z")
