"""`journal dead`: what could not be processed is seen, put back or thrown away, and never lost on the way."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.calls import reports
from shared.contracts.calls.events import call_id
from shared.contracts.topology import DEAD_EXCHANGE, EVENT_SOURCES, QUEUES, dead
from shared.plumbing.database import Postgres
from shared.plumbing.publisher import Outgoing
from tests.support import scenarios
from tests.support.infrastructure import ROOT, Broker, Services, Stack, eventually
from tools import dead_letters, journal

QUEUE = "calls.reports"
Journal = Callable[..., tuple[int, str, str]]


def letter(id_: str, body: str | bytes = '{"a": "ї"}', **headers: Any) -> Outgoing:
    """A message as a subscription dead-letters it."""
    defaults = {"x-dead-id": id_, "x-reason": "failed", "x-error": "RuntimeError: no", "x-attempts": 6}
    return Outgoing(DEAD_EXCHANGE, QUEUE, body, "trace", defaults | {"x-original-key": "placed"} | headers)


@pytest.fixture
def run(stack: Stack, broker: Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Journal:
    monkeypatch.setenv("STACK_DIR", str(stack.folder))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = journal.main(list(arguments))
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def test_an_empty_list_says_that_there_are_no_dead_letters(run: Journal) -> None:
    assert run("dead", "list") == (0, "There are no dead letters.\n", "")


def test_listing_dead_letters_leaves_them_in_the_queue(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a5c77-1"), letter("99999999-2", **{"x-reason": "invalid"}))
    for queue in ((), (QUEUE,), (dead(QUEUE),)):
        _, listed, _ = run("dead", "list", *queue)
        [_, first, second] = listed.splitlines()
        assert first.split()[:2] == ["3f2a5c77", QUEUE]
        assert (" 6 " in first, "failed" in first, "placed" in first, "RuntimeError: no" in first) == (True,) * 4
        assert "invalid" in second
    eventually(lambda: broker.count(dead(QUEUE)) == 2)


def test_a_list_can_be_limited_to_one_queue(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a"))
    assert run("dead", "list", "gateway.journal")[1] == "There are no dead letters.\n"


def test_show_prints_the_whole_message(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a-1"))
    _, shown, _ = run("dead", "show", "3f")
    for word in ("3f2a-1", QUEUE, "placed", "failed", "RuntimeError: no", "trace", '"a": "ї"'):
        assert word in shown


def test_undecodable_bytes_are_printed_escaped(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a", b"\xffab"))
    assert "\\xffab" in run("dead", "show", "3f2a")[1]


def test_a_message_dead_lettered_by_the_broker_has_an_id(run: Journal, broker: Broker) -> None:
    broker.publish(Outgoing(DEAD_EXCHANGE, QUEUE, b"\xff"))
    [_, listed] = run("dead", "list")[1].splitlines()
    assert run("dead", "drop", listed.split()[0])[0] == 0
    assert broker.count(dead(QUEUE)) == 0


def test_retry_resets_the_attempts(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a"), letter("77"))
    assert run("dead", "retry", "3f2a") == (0, "1 put back.\n", "")
    [message] = broker.take(QUEUE)
    assert (message.body, message.headers["x-original-key"]) == ('{"a": "ї"}', "placed")
    assert "x-attempts" not in message.headers
    assert message.properties["correlation_id"] == "trace"
    eventually(lambda: broker.count(dead(QUEUE)) == 1)


def test_retry_all_requeues_every_dead_letter(run: Journal, broker: Broker) -> None:
    broker.publish(*(letter(f"{number}x") for number in range(30)))
    assert run("dead", "retry", "--all")[1] == "30 put back.\n"
    assert (broker.count(QUEUE), broker.count(dead(QUEUE))) == (30, 0)


def test_retry_all_requeues_a_message_once_even_if_it_fails_again(
    run: Journal, broker: Broker, services: Services, calls_db: Postgres
) -> None:
    services.start("services.calls.service:CallsService", of="calls")
    broker.publish(*(letter(f"{number}x") for number in range(100)))
    assert run("dead", "retry", "--all")[1] == "100 put back.\n"
    eventually(lambda: broker.count(dead(QUEUE)) == 100)


def test_drop_discards_only_the_named_message(run: Journal, broker: Broker) -> None:
    broker.publish(letter("3f2a"), letter("77"))
    assert run("dead", "drop", "3f2a")[0] == 0
    eventually(lambda: broker.count(dead(QUEUE)) == 1)
    assert "77" in run("dead", "list")[1]


def test_a_retried_message_is_never_lost(run: Journal, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.publish(letter("3f2a"))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dead_letters, "discard", killed)
        assert run("dead", "retry", "3f2a")[0] == 130
    eventually(lambda: (broker.count(QUEUE), broker.count(dead(QUEUE))) == (1, 1))
    with monkeypatch.context() as patched:
        patched.setattr(dead_letters.Publisher, "publish", killed)
        assert run("dead", "retry", "3f2a")[0] == 130
    eventually(lambda: (broker.count(QUEUE), broker.count(dead(QUEUE))) == (1, 1))


def test_a_message_can_be_retried_with_a_corrected_body(
    run: Journal, broker: Broker, services: Services, calls_db: Postgres, tmp_path: Path
) -> None:
    [scenario] = scenarios.read("12:00:00 | placed | outbound 101 -> +380501112233\n=> connecting")
    report = reports.dump(scenario.reports[0])
    broker.publish(Outgoing("reports", "placed", json.dumps(report | {"at": "yesterday"})))
    services.start("services.calls.service:CallsService", of="calls")
    eventually(lambda: broker.count(dead(QUEUE)) == 1)
    [_, listed] = run("dead", "list")[1].splitlines()
    assert "invalid" in listed
    fixed = tmp_path / "fixed.json"
    fixed.write_text(json.dumps(report))
    assert run("dead", "retry", listed.split()[0], "--with", str(fixed))[0] == 0

    def known() -> bool:
        with calls_db.connection() as conn:
            return bool(conn.execute("select from calls where call_id = %s", (call_id("acme", "pbx-1"),)).rowcount)

    eventually(known)


ALL_QUEUES = ", ".join(queue.name for queue in QUEUES)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["dead", "list", "nowhere"],
            f"No queue is named nowhere; the queues are {ALL_QUEUES}.",
        ),
        (["dead", "show", "3f"], "No dead letter has the id 3f"),
        (["dead", "drop", "a"], "2 dead letters have ids that start with a"),
        (["dead", "retry", "a1", "--with", "nothing.json"], "nothing.json cannot be read: No such file or directory."),
        (["dead", "retry", "a1", "--with", "README.md"], "README.md is not JSON"),
        (["dead", "retry", "--all", "--with", "README.md"], "give its ID"),
    ],
)
def test_a_wrong_command_is_answered_with_one_sentence(
    run: Journal, broker: Broker, arguments: list[str], sentence: str
) -> None:
    broker.publish(letter("a1"), letter("a2"))
    status, output, error = run(*arguments)
    assert (status, output, error.count("\n")) == (1, "", 1)
    assert sentence in error
    eventually(lambda: broker.count(dead(QUEUE)) == 2)


@pytest.mark.parametrize("arguments", [["dead", "list"], ["dead", "retry", "--all"], ["verify"], ["look", "call-1"]])
def test_an_unavailable_server_is_reported_with_what_to_do(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STACK_DIR", str(tmp_path))
    assert journal.main(arguments) == 1
    assert "make up" in capsys.readouterr().err
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "admin.env").write_text("AMQP_ADMIN_URI=amqp://admin:x@127.0.0.1:1/journal\n")
    for owner in EVENT_SOURCES:
        (tmp_path / "env" / f"{owner}.env").write_text(f"RO_DATABASE_URL=postgresql://x:x@127.0.0.1:1/{owner}\n")
    assert journal.main(arguments) == 1
    assert "does not answer" in capsys.readouterr().err


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.journal", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "journal dead list" in done.stdout
    assert done.stderr == ""
