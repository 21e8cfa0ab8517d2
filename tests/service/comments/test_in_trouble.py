"""Comments goes away, or dies at the worst moment: clear answers in time, and nothing twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests

from tests.support.infrastructure import eventually
from tests.support.system import System
from tests.system.test_comments import history, put, shown
from tests.system.test_journal import inbound, report_call


@pytest.fixture
def call(system: System) -> str:
    call_id = report_call(system, inbound(str(uuid4()), datetime.now(UTC) - timedelta(minutes=1)))
    system.entry(call_id, "admin", phase="ended")
    return call_id


def test_without_comments_writes_are_503_in_time_and_the_journal_shows_those_there_are(
    system: System, call: str
) -> None:
    written = put(system, call, "ще працює").json()
    for name in ("comments", "comments-relay"):
        system.processes[name].kill()
    asks = (("PUT", "comment"), ("DELETE", "comment"), ("GET", "comment/history"), ("GET", "timeline"))

    def ask(method: str, path: str) -> tuple[requests.Response, float]:
        began = time.monotonic()
        body = {"json": {"text": "так"}} if method == "PUT" else {}
        return system.send(method, f"/calls/{call}/{path}", "olha", **body), time.monotonic() - began

    with ThreadPoolExecutor(len(asks)) as pool:
        *refused, (timeline, _) = pool.map(ask, *zip(*asks, strict=True))
    for answer, waited in refused:
        assert waited < 2
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["instance"].startswith("urn:uuid:")
    assert shown(system, call) == written
    assert system.get("/journal", "admin", has="comment").json()["entries"]
    assert (timeline.status_code, timeline.headers["Degraded"]) == (200, "comments")
    assert {one["owner"] for one in timeline.json()["events"]} == {"calls"}
    eventually(lambda: system.get("/journal", "admin").json()["degraded"] == ["comments"])
    for name in ("comments", "comments-relay"):
        system.start(name)
    eventually(lambda: system.get("/journal", "admin").json()["degraded"] == [])
    assert [one["text"] for one in history(system, call)] == ["ще працює"]


def test_an_owner_that_listens_no_more_is_away_although_its_relay_lives(system: System, call: str) -> None:
    system.processes["comments"].kill()
    eventually(lambda: system.get("/journal", "admin").json()["degraded"] == ["comments"])
    system.start("comments")
    eventually(lambda: system.get("/journal", "admin").json()["degraded"] == [])


def test_without_calls_there_is_no_timeline_but_a_comment_can_be_written(system: System, call: str) -> None:
    system.processes["calls"].kill()
    assert system.get(f"/calls/{call}/timeline", "admin").status_code == 503
    assert put(system, call, "calls немає").status_code == 201
    system.start("calls")
    assert system.get(f"/calls/{call}/timeline", "admin").status_code == 200


def test_an_answer_that_was_lost_after_the_commit_is_given_to_the_repeat(system: System, call: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    system.processes["comments"].kill()
    dying = system.start("comments", "tests.service.comments.planted:CommentsService")
    lost = put(system, call, "збережено, та не сказано", headers=key)
    assert (lost.status_code, lost.headers["Retry-After"]) == (503, "1")
    assert eventually(lambda: not dying.alive())
    system.start("comments")
    repeated = put(system, call, "збережено, та не сказано", headers=key)
    assert (repeated.status_code, repeated.json()["version"]) == (201, 1)
    assert [one["action"] for one in history(system, call)] == ["added"]
    assert shown(system, call) == repeated.json()


def test_what_was_written_is_there_at_once_on_another_replica(system: System, call: str) -> None:
    replica = system.start_replica()
    for number in range(10):
        text = f"правка {number}"
        here, there = (system.url, replica) if number % 2 else (replica, system.url)
        written = put(system, call, text, url=here)
        assert written.status_code in (200, 201)
        assert shown(system, call, url=there) == written.json()
