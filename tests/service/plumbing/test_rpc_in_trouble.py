"""Asking while things break: services that stop, requests that are none, servers and lines that go away."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import requests

from tests.service.plumbing.stage import Asker, Notes, Rpc
from tests.sizes import Size, sized
from tests.support.infrastructure import Service, Stack, eventually
from tests.support.proxy import Proxy

Start = Callable[..., Service]
SLEEPING = """
    select count(*) from pg_stat_activity
     where state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()
"""


@sized("R16")
def test_a_service_that_is_stopped_costs_its_callers_a_deadline_and_nobody_else_anything(
    size: Size, start: Start, rpc: Rpc, asker: Asker, notes: Notes
) -> None:
    start("Answers").kill()
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
    rpc.send("note", {"args": [], "kwargs": {"word": "first", "seconds": 1}})
    rpc.send("note", {"args": [], "kwargs": {"word": "late"}}, headers={"nameko.deadline": time.time() + 0.5})
    rpc.send("note", {"args": [], "kwargs": {"word": "third"}})
    eventually(lambda: "third" in notes.words())
    assert notes.words() == ["first", "third"]


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


@sized("R5")
def test_a_database_that_is_away_is_said_to_be_within_two_seconds(
    size: Size, start: Start, rpc: Rpc, asker: Asker, proxies: dict[str, Proxy]
) -> None:
    answers = start("Answers", DATABASE_URL=proxies["DATABASE_URL"])
    assert asker.ask("query") == (200, 1)
    for trouble in (proxies["DATABASE_URL"].cut, proxies["DATABASE_URL"].pause):
        trouble()
        over = time.monotonic() + size.outage
        while time.monotonic() < over:
            started = time.monotonic()
            assert asker.ask("query")[0] == 503
            assert time.monotonic() - started < 2
            assert asker.ask("echo") == (200, {}), "who needs no database is answered"
        proxies["DATABASE_URL"].resume()
        eventually(lambda: asker.ask("query")[0] == 200, seconds=15)
    assert answers.alive()


@sized("R5")
def test_a_broker_that_went_away_is_asked_again_when_it_is_back(
    size: Size, start: Start, rpc: Rpc, web_port: int, proxies: dict[str, Proxy]
) -> None:
    broker = proxies["AMQP_URI"]
    both = [start("Answers", AMQP_URI=broker), start("Asker", AMQP_URI=broker, WEB_PORT=web_port)]
    asker = Asker(web_port)
    assert asker.ask("echo") == (200, {})
    broker.cut()
    over = time.monotonic() + size.outage
    while time.monotonic() < over:
        assert asker.ask("echo", 1)[0] == 503
        assert asker.quick() < 0.5
        time.sleep(0.5)
    broker.resume()
    eventually(lambda: asker.ask("echo", 1) == (200, {}), seconds=6)
    assert all(service.alive() for service in both)


@pytest.mark.parametrize("end", ["deadline", "kill"])
def test_a_query_that_nobody_waits_for_any_more_ends_within_a_second(
    start: Start, rpc: Rpc, asker: Asker, stack: Stack, end: str
) -> None:
    answers = start("Answers")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(stack.env("admin")["PG_ADMIN_URL"], autocommit=True) as conn:
        asked = pool.submit(asker.ask, "query", 1, seconds=8)
        eventually(lambda: conn.execute(SLEEPING).fetchone() == (1,))
        if end == "kill":
            answers.kill()
        assert asked.result()[0] == 503
        eventually(lambda: conn.execute(SLEEPING).fetchone() == (0,), seconds=1.5)


def test_a_query_ends_after_two_seconds_however_long_its_caller_would_wait(
    start: Start, rpc: Rpc, asker: Asker, stack: Stack
) -> None:
    start("Answers")
    with psycopg.connect(stack.env("admin")["PG_ADMIN_URL"], autocommit=True) as conn:
        for ask in (
            lambda: asker.ask("query", 9, seconds=10)[0],
            lambda: requests.get(f"{asker.url}/query", params={"seconds": 10}, timeout=20).status_code,
        ):
            asked_at = time.monotonic()
            assert ask() == 503
            assert 2.0 <= time.monotonic() - asked_at < 2.7
            assert conn.execute(SLEEPING).fetchone() == (0,)


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
    rpc.send("block", {"args": [], "kwargs": {"seconds": 1}})
    time.sleep(0.4)
    proxies["AMQP_URI"].reset()
    rpc.send("echo", {"args": [], "kwargs": {"after": True}})
    eventually(lambda: (reply := rpc.reply()) and reply["result"] == {"after": True})
    assert answers.alive()
