"""Asking: every question has an end, no request ends the service, and what was asked thrice is done once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import requests

from tests.service.plumbing.stage import Asker, Notes
from tests.sizes import Size, sized
from tests.support.infrastructure import Service, eventually

Start = Callable[..., Service]


def test_a_question_is_answered_in_any_script(answers: Service, asker: Asker) -> None:
    assert asker.ask("echo", name="Їжак") == (200, {"name": "Їжак"})


def test_our_errors_cross_as_themselves_and_others_only_as_an_incident(answers: Service, asker: Asker) -> None:
    assert asker.ask("reject")[0] == 409
    assert asker.ask("reject")[1]["code"] == "not_allowed"
    assert asker.ask("no_such_method")[0] == 422
    assert asker.ask("note", wrong="argument")[0] == 422
    status, problem = asker.ask("fail")
    assert (status, "secret" in str(problem)) == (500, False)
    assert asker.ask("no_json")[0] == 500
    assert asker.ask("lose")[0] == 503
    assert "postgres://u:secret@h/db" in answers.log.read_text(), "the log says what the client may not know"


@sized("R19")
def test_a_command_sent_three_times_at_once_is_carried_out_once_and_answered_alike(
    size: Size, answers: Service, asker: Asker, notes: Notes
) -> None:
    ids = [str(uuid4()) for _ in range(size.commands)]
    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda id_: asker.ask("note_once", command_id=id_, word=id_), sorted(ids * 3)))
    assert {status for status, _ in told} == {200}
    assert len({(answer["word"], answer["at"]) for _, answer in told}) == size.commands
    assert sorted(notes.words()) == sorted(ids)


def test_the_correlation_id_follows_a_request_into_the_other_services_log(answers: Service, asker: Asker) -> None:
    requests.post(f"{asker.url}/ask/echo", json={}, headers={"X-Request-Id": "trace-8"}, timeout=10)
    eventually(lambda: [line for line in answers.told() if line["correlation_id"] == "trace-8"])


def test_twenty_queries_of_a_second_take_little_more_than_one(answers: Service, asker: Asker) -> None:
    asker.ask("queries_at_once", number=20, seconds=0.1)
    # A busy machine may be late; a driver that blocks takes twenty seconds every time.
    taken = [asker.ask("queries_at_once", 5, number=20, seconds=1)[1] for _ in range(2)]
    assert min(taken) <= 1.3


def test_the_runner_needs_no_pkg_resources_and_has_patched_all_before_anything_else(
    answers: Service, asker: Asker
) -> None:
    modules = asker.ask("modules")[1]
    assert "eventlet.green.socket" in modules
    assert "pkg_resources" not in modules


def gather(asker: Asker, timeout: float, trace: str = "", **asks: Any) -> tuple[float, Any]:
    """Seconds taken, and what was told."""
    started = time.monotonic()
    headers = {"X-Request-Id": trace} if trace else {}
    answer = requests.post(f"{asker.url}/gather", params={"timeout": timeout}, json=asks, headers=headers, timeout=10)
    return time.monotonic() - started, answer.json()


def test_questions_asked_at_once_take_as_long_as_the_slowest(answers: Service, asker: Asker) -> None:
    asks = {f"n{number}": {"method": "wait", "seconds": 0.8} for number in range(4)}
    seconds, told = gather(asker, 3, "trace-9", **asks)
    assert told == dict.fromkeys(asks, 0.8)
    assert seconds < 1.6, "the longest, not the sum"
    assert len([line for line in answers.told() if line["correlation_id"] == "trace-9"]) == 4


def test_who_does_not_answer_in_time_can_be_left_out(answers: Service, asker: Asker) -> None:
    asks = {"late": {"method": "wait", "seconds": 3}, "no": {"method": "reject"}, "yes": {"method": "echo", "n": 1}}
    seconds, told = gather(asker, 0.6, **asks)
    assert told["yes"] == {"n": 1}
    assert ("Unavailable" in told["late"], "Rejected" in told["no"]) == (True, True)
    assert seconds < 1.2
