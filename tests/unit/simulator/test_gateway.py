"""An exchange does not give up on the journal, and does not argue with it either."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket
from threading import Thread

import pytest

from tools.simulator.gateway import Gateway, Refused, Undelivered
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCEPTED = (202, {}, {"accepted": 1})


@dataclass
class Journal:
    """Answers as it was told to, then accepts."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], object]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], list[dict]]] = field(default_factory=list)


@dataclass
class Patience(Stop):
    """Waits without waiting."""

    requested: bool = False
    waited: list[float] = field(default_factory=list)
    stops_after: int = 100

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.requested = len(self.waited) >= self.stops_after
        return self.requested


@pytest.fixture
def journal() -> Iterator[Journal]:
    told = Journal()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append((self.path, dict(self.headers), body))
            status, headers, answer = told.answers.pop(0) if told.answers else ACCEPTED
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()


def reports(number: int) -> list[Report]:
    return [Report(f"r{n}", "oselia", f"call-{n}", "connecting", NOON, {"group": "продаж"}) for n in range(number)]


def send(url: str, number: int = 1, patience: Patience | None = None) -> tuple[Patience, list[str]]:
    said: list[str] = []
    patience = patience or Patience()
    gateway = Gateway(url, "key", patience, said.append)
    try:
        gateway.send(reports(number))
    finally:
        gateway.session.close()
    return patience, said


def test_reports_are_posted_with_the_ingest_key(journal):
    send(journal.url)
    ((path, headers, body),) = journal.requests
    assert path == "/api/v1/reports"
    assert headers["X-Api-Key"] == "key"
    assert body == [report.as_json() for report in reports(1)]


def test_a_request_has_at_most_five_hundred_reports(journal):
    send(journal.url, number=1200)
    assert [len(body) for _, _, body in journal.requests] == [500, 500, 200]
    assert len({headers["Idempotency-Key"] for _, headers, _ in journal.requests}) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_journal_gets_the_same_batch_again_after_retry_after(journal, status):
    journal.answers = [(status, {"Retry-After": "7"}, {}), ACCEPTED]
    patience, said = send(journal.url)
    assert patience.waited == [7]
    assert journal.requests[0] == journal.requests[1]
    assert said == [f"The gateway answers {status}; trying again in 7 s."]


def test_an_unreachable_journal_is_retried_with_growing_pauses():
    patience = Patience(stops_after=7)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Undelivered, match=r"1 reports were not delivered: The gateway at .* does not answer"):
            send(nobody, patience=patience)
    assert patience.waited == [0.5, 1, 2, 4, 8, 15, 15]


def test_refused_reports_are_described_in_one_sentence_and_not_retried(journal):
    journal.answers = [
        (
            422,
            {},
            {
                "title": "Invalid",
                "detail": "A report is malformed.",
                "errors": {"0.at": [{"code": "not_instant", "params": {}, "message": "No."}]},
            },
        )
    ]
    with pytest.raises(Refused, match=r"refused the reports \(422\): A report is malformed\. — 0\.at: No\."):
        send(journal.url)
    assert len(journal.requests) == 1


def test_a_wrong_key_is_not_retried(journal):
    journal.answers = [(401, {}, {"title": "Unauthorized"})]
    with pytest.raises(Refused, match="401"):
        send(journal.url)
    assert len(journal.requests) == 1
