"""Asking: every question has an end, no request ends the service, and what was asked thrice is done once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests

from shared.testing.infrastructure import Service, eventually
from shared.testing.proxy import Proxy
from tests.service.plumbing.stage import Notes, Rpc
from tests.sizes import Size, sized

Start = Callable[..., Service]


class Asker:
    """The double of that name, by HTTP."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, timeout: float = 3.0, **words: Any) -> tuple[int, Any]:
        answer = requests.post(f"{self.url}/ask/{method}", params={"timeout": timeout}, json=words, timeout=20)
        return answer.status_code, answer.json()

    def quick(self) -> float:
        """Seconds that a route takes which asks nobody."""
        started = time.monotonic()
        requests.get(f"{self.url}/quick", timeout=20).raise_for_status()
        return time.monotonic() - started


@pytest.fixture
def asker(start: Start, web_port: int) -> Asker:
    start("Asker", WEB_PORT=web_port)
    return Asker(web_port)


def test_a_question_is_answered_in_any_script(start: Start, rpc: Rpc, asker: Asker) -> None:
    start("Answers")
    assert asker.ask("echo", name="Їжак") == (200, {"name": "Їжак"})


def test_our_errors_cross_as_themselves_and_others_only_as_an_incident(start: Start, rpc: Rpc, asker: Asker) -> None:
    answers = start("Answers")
    assert asker.ask("reject")[0] == 409
    assert asker.ask("reject")[1]["detail"] == "not_allowed"
    assert asker.ask("no_such_method")[0] == 422
    assert asker.ask("note", wrong="argument")[0] == 422
    status, problem = asker.ask("fail")
    assert (status, "secret" in str(problem)) == (500, False)
    assert asker.ask("no_json")[0] == 500
    assert asker.ask("lose")[0] == 503
    assert "postgres://u:secret@h/db" in answers.log.read_text(), "the log says what the client may not know"


@sized("R16")
def test_a_service_that_is_stopped_costs_its_callers_a_deadline_and_nobody_else_anything(
    size: Size, start: Start, rpc: Rpc, asker: Asker, notes: Notes
) -> None:
    start("Answers").terminate()
    with ThreadPoolExecutor(10) as pool:
        started = time.monotonic()
        asked = [pool.submit(asker.ask, "note", size.timeout, word=f"w{n}") for n in range(size.calls)]
        slowest = max(asker.quick() for _ in range(10))
        assert {one.result()[0] for one in asked} == {503}
        assert time.monotonic() - started < size.timeout * (size.calls / 10 + 1) + 1
    assert slowest < 0.5
    eventually(lambda: rpc.waiting() == 0)
    start("Answers")
    assert asker.ask("echo") == (200, {})
    assert notes.words() == [], "what nobody waits for any more is not done"


def test_a_request_whose_time_is_up_when_its_turn_comes_is_not_carried_out(
    start: Start, rpc: Rpc, notes: Notes
) -> None:
    start("Answers", MAX_WORKERS=1)
    rpc.send("note", {"args": ["first"], "kwargs": {"seconds": 1}})
    rpc.send("note", {"args": ["late"], "kwargs": {}}, headers={"nameko.deadline": time.time() + 0.5})
    rpc.send("note", {"args": ["third"], "kwargs": {}})
    eventually(lambda: "third" in notes.words())
    assert notes.words() == ["first", "third"]


@sized("R19")
def test_a_command_sent_three_times_at_once_is_carried_out_once_and_answered_alike(
    size: Size, start: Start, rpc: Rpc, asker: Asker, notes: Notes
) -> None:
    start("Answers")
    ids = [str(uuid4()) for _ in range(size.commands)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda id_: asker.ask("note_once", command_id=id_, word=id_), sorted(ids * 3)))
    assert {status for status, _ in answers} == {200}
    assert len({(answer["word"], answer["at"]) for _, answer in answers}) == size.commands
    assert sorted(notes.words()) == sorted(ids)


MALFORMED: list[dict[str, Any]] = [
    {"reply_to": None},
    {"reply_to": ""},
    {"body": []},
    {"body": {"args": {}, "kwargs": {}}},
    {"body": {"args": [], "kwargs": None}},
    {"body": "text"},
    {"raw": b"\xff{ a secret"},
    {"raw": b"cos\nsystem", "content_type": "application/x-python-serialize"},
    {"raw": b"- yaml", "content_type": "application/x-yaml"},
    {"raw": b"{}", "content_type": "text/unheard-of"},
    {"body": {"args": [], "kwargs": {"\ud800": 1}}},
    {"headers": {"nameko.deadline": "soon"}},
    {"headers": {"nameko.call_id_stack": 7}},
    {"headers": {"nameko.correlation_id": 7}},
    {"reply_to": "nobody"},
    {"correlation_id": "\ud800"},
]


def test_malformed_requests_do_not_end_the_service_nor_stay(start: Start, rpc: Rpc) -> None:
    answers = start("Answers")
    for wrong in MALFORMED:
        rpc.send("modules", wrong.get("body"), **{name: value for name, value in wrong.items() if name != "body"})
        rpc.send("complain", {"args": [], "kwargs": {"\ud800": 1}})
    rpc.send("echo", {"args": [], "kwargs": {"last": True}}, correlation_id="last")
    eventually(lambda: (reply := rpc.reply()) and reply["result"] == {"last": True})
    answers.terminate()
    assert "a secret" not in answers.log.read_text()
    assert rpc.waiting() == 0


def test_the_correlation_id_follows_a_request_into_the_other_services_log(start: Start, rpc: Rpc, asker: Asker) -> None:
    answers = start("Answers")
    requests.post(f"{asker.url}/ask/echo", json={}, headers={"X-Request-Id": "trace-8"}, timeout=10)
    [line] = eventually(lambda: [line for line in answers.told() if line["message"] == "asked"])
    assert line["correlation_id"] == "trace-8"


def test_twenty_queries_of_a_second_take_little_more_than_one(start: Start, rpc: Rpc, asker: Asker) -> None:
    start("Answers", DATABASE_POOL=20, PSYCOPG_WAIT_FUNC="wait_c")
    asker.ask("queries_at_once", number=20, seconds=0.1)
    # A busy machine may be late; a driver that blocks takes twenty seconds every time.
    taken = [asker.ask("queries_at_once", 5, number=20, seconds=1)[1] for _ in range(2)]
    assert min(taken) <= 1.3


def test_the_runner_needs_no_pkg_resources_and_has_patched_all_before_anything_else(
    start: Start, rpc: Rpc, asker: Asker
) -> None:
    start("Answers")
    modules = asker.ask("modules")[1]
    assert "eventlet.green.socket" in modules
    assert "pkg_resources" not in modules


def test_a_database_that_is_away_is_said_to_be_within_two_seconds(
    start: Start, rpc: Rpc, asker: Asker, proxies: dict[str, Proxy]
) -> None:
    answers = start("Answers", DATABASE_URL=proxies["DATABASE_URL"])
    assert asker.ask("query") == (200, 1)
    for trouble in (proxies["DATABASE_URL"].cut, proxies["DATABASE_URL"].pause):
        trouble()
        started = time.monotonic()
        assert asker.ask("query")[0] == 503
        assert time.monotonic() - started < 2.9
        assert asker.ask("echo") == (200, {}), "who needs no database is answered"
        proxies["DATABASE_URL"].resume()
        eventually(lambda: asker.ask("query")[0] == 200)
    assert answers.alive()


def test_a_broker_that_went_away_is_asked_again_when_it_is_back(
    start: Start, rpc: Rpc, web_port: int, proxies: dict[str, Proxy]
) -> None:
    broker = proxies["AMQP_URI"]
    both = [start("Answers", AMQP_URI=broker), start("Asker", AMQP_URI=broker, WEB_PORT=web_port)]
    asker = Asker(web_port)
    assert asker.ask("echo") == (200, {})
    broker.cut()
    assert asker.ask("echo", 1)[0] == 503
    assert asker.quick() < 0.5
    time.sleep(3)
    broker.resume()
    eventually(lambda: asker.ask("echo", 1) == (200, {}), seconds=6)
    assert all(service.alive() for service in both)


def test_lines_that_went_dead_are_replaced(start: Start, rpc: Rpc, web_port: int, proxies: dict[str, Proxy]) -> None:
    broker = proxies["AMQP_URI"]
    start("Answers", AMQP_URI=broker, HEARTBEAT=1)
    start("Asker", AMQP_URI=broker, WEB_PORT=web_port, HEARTBEAT=1)
    asker = Asker(web_port)
    assert asker.ask("echo") == (200, {})
    broker.strand()
    assert asker.ask("echo", 1)[0] == 503
    eventually(lambda: asker.ask("echo", 1) == (200, {}), seconds=9)


def test_a_line_reset_while_the_service_could_not_look_ends_nothing(
    start: Start, rpc: Rpc, proxies: dict[str, Proxy]
) -> None:
    answers = start("Answers", AMQP_URI=proxies["AMQP_URI"])
    rpc.send("block", {"args": [1], "kwargs": {}})
    time.sleep(0.4)
    proxies["AMQP_URI"].reset()
    rpc.send("echo", {"args": [], "kwargs": {"after": True}})
    eventually(lambda: (reply := rpc.reply()) and reply["result"] == {"after": True})
    assert answers.alive()
