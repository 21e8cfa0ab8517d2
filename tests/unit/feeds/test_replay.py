"""`python -m tools.replay`: which files are one stream, what is sent, and what is said when it goes wrong."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.feeds.exchange import CAPTURES, TENANT, TRUNKS, capture, row, told
from tools import replay

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
BUSY = CAPTURES / "03-busy-486.txt"


class Gateway(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.taken: list[tuple[str | None, list[dict]]] = []
        self.answers: list[int] = []


class Door(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answers.pop(0) if self.server.answers else 202
        if status == 202:
            self.server.taken.append((self.headers["X-Api-Key"], body))
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(replay, "PAUSE", 0)
    monkeypatch.delenv("STACK_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        (tmp_path / ".stack").mkdir()
        (tmp_path / ".stack" / "demo.env").write_text(
            f"BASE_URL=http://127.0.0.1:{server.server_port}\nTENANT={TENANT}\nINGEST_KEY='k-1'\n"
        )
        yield server
        server.shutdown()
        thread.join()


def test_parts_are_one_stream_in_their_order_and_other_files_are_their_own():
    files = [Path("b.part10.txt"), Path("a.txt"), Path("b.part2.txt"), Path("b.txt"), Path("a.all.txt")]
    assert replay.streams(files) == [
        [Path("b.txt"), Path("b.part2.txt"), Path("b.part10.txt")],
        [Path("a.txt")],
        [Path("a.all.txt")],
    ]


def test_a_stream_in_parts_comes_to_one_row():
    files = [CAPTURES / "26-ami-gap.txt", CAPTURES / "26-ami-gap.part2.txt"]
    assert list(replay.read(files, TENANT, TRUNKS)) == told(capture("26-ami-gap"))


def test_as_if_now_the_last_report_is_now_and_lengths_stay():
    then, now = told(capture("01-answered-recorded")), replay.shift_to_now(told(capture("01-answered-recorded")), NOW)
    assert row(now).ended_at == NOW
    assert row(now).talk_time == row(then).talk_time
    [recorded] = [report for report in now if report["type"] == "recorded"]
    assert NOW - datetime.fromisoformat(recorded["data"]["started_at"]) < timedelta(seconds=5)


def test_as_if_now_makes_new_calls_each_time():
    reports = told(capture("03-busy-486"))
    once, again = replay.shift_to_now(reports, NOW), replay.shift_to_now(reports, NOW + timedelta(seconds=1))
    assert {report["report_id"] for report in once}.isdisjoint(report["report_id"] for report in again)
    assert once[0]["call"] != again[0]["call"]


def test_all_reports_are_sent_with_the_key_of_the_demonstration(gateway, capsys):
    assert replay.main([str(BUSY)]) == 0
    assert gateway.taken == [("k-1", told(capture("03-busy-486")))]
    assert capsys.readouterr().out == "2 reports of 1 calls accepted.\n"


def test_many_reports_go_in_batches(gateway, monkeypatch):
    monkeypatch.setattr(replay, "MAX_REPORTS_PER_REQUEST", 10)
    assert replay.main([str(CAPTURES / "25-five-at-once.txt")]) == 0
    assert [len(batch) for _, batch in gateway.taken] == [10, 10, 5]


def test_a_gateway_that_is_busy_is_asked_again(gateway):
    gateway.answers = [503, 429]
    assert replay.main([str(BUSY)]) == 0
    assert len(gateway.taken) == 1


def test_what_the_gateway_refuses_is_said(gateway, capsys):
    gateway.answers = [422]
    assert replay.main([str(BUSY)]) == 1
    assert capsys.readouterr().err.startswith("The gateway refused the reports (422)")


def test_a_gateway_that_never_takes_reports_is_given_up(gateway, capsys):
    gateway.answers = [503] * replay.ATTEMPTS
    assert replay.main([str(BUSY)]) == 1
    assert "make logs" in capsys.readouterr().err


def test_a_gateway_that_is_not_there_is_said(gateway, capsys):
    Path(".stack/demo.env").write_text(f"BASE_URL=http://127.0.0.1:1\nTENANT={TENANT}\nINGEST_KEY=k\n")
    assert replay.main([str(BUSY)]) == 1
    assert "make up" in capsys.readouterr().err


def test_without_a_demonstration_system_it_says_how_to_start_one(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("STACK_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert replay.main([str(BUSY)]) == 1
    assert "make up" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(gateway, capsys):
    assert replay.main(["nowhere.txt"]) == 1
    assert capsys.readouterr().err == "nowhere.txt cannot be read: No such file or directory.\n"
