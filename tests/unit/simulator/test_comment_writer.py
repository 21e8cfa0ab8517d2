"""People comment on calls that are over, when the journal shows them, in their own name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from threading import Thread

import pytest

from shared.contracts.calls.events import call_id
from tools.simulator.comment_writer import ATTEMPTS, TEXTS, CommentWriter
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class NoWait(Stop):
    def wait(self, seconds: float) -> bool:
        return self.requested


@dataclass
class Journal:
    """Answers comments as it was told to, then 201. `written`: who wrote what to which path."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    written: list[tuple[str, str, str]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)


@pytest.fixture
def journal() -> Iterator[Journal]:
    told = Journal()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            login = self._sent()["login"]
            told.signed_in.append(login)
            self._answer(201, {"token": login})

        def do_PUT(self) -> None:
            sent, who = self._sent(), self.headers["Authorization"].removeprefix("Bearer ")
            status = told.answers.pop(0) if told.answers else 201
            if status == 201:
                told.written.append((who, self.path, sent["text"]))
            self._answer(status, {})

        def _sent(self) -> dict[str, str]:
            return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()


def remarks(journal: Journal, share: float = 1.0) -> CommentWriter:
    demo = {"BASE_URL": journal.url, "OPERATOR_LINE": "101", "OPERATOR2_LINE": "102"}
    for who in ("SUPERVISOR", "OPERATOR", "OPERATOR2"):
        demo |= {f"{who}_LOGIN": who.lower(), f"{who}_PASSWORD": "гасло"}
    return CommentWriter(demo, share, Random(1), NoWait())


def call(key: str, party: str = "") -> list[Report]:
    answered = [Report(f"{key}.1", "oselia", key, "answered", NOON, {"party": party})] if party else []
    return [*answered, Report(f"{key}.2", "oselia", key, "ended", NOON, {"by": "caller"})]


def path(key: str) -> str:
    return f"/api/v1/calls/{call_id('oselia', key)}/comment"


def test_the_operator_who_answered_comments_or_else_the_supervisor(journal: Journal):
    bursts = [call("a", "101"), call("b", "102"), call("c"), call("d", "777")]
    assert list(remarks(journal).watch(bursts)) == bursts
    who = {where: login for login, where, _ in journal.written}
    assert who == {path("a"): "operator", path("b"): "operator2", path("c"): "supervisor", path("d"): "supervisor"}
    assert {text for *_, text in journal.written} <= set(TEXTS)
    assert sorted(journal.signed_in) == ["operator", "operator2", "supervisor"]


def test_a_comment_is_retried_until_the_call_is_visible(journal: Journal):
    journal.answers = [404, 503]
    list(remarks(journal).watch([call("a"), call("b")]))
    assert sorted(where for _, where, _ in journal.written) == sorted([path("a"), path("b")])


def test_a_comment_is_given_up_after_the_last_attempt(journal: Journal):
    journal.answers = [404] * (ATTEMPTS + 5)
    list(remarks(journal).watch([call("a")]))
    assert (journal.written, len(journal.answers)) == ([], 5)


def test_an_expired_session_is_renewed(journal: Journal):
    journal.answers = [401]
    list(remarks(journal).watch([call("a")]))
    assert (len(journal.written), journal.signed_in) == (1, ["supervisor", "supervisor"])


def test_only_a_share_of_the_calls_gets_a_comment(journal: Journal):
    list(remarks(journal, 0.2).watch([call(str(number)) for number in range(50)]))
    assert 3 <= len(journal.written) <= 20
