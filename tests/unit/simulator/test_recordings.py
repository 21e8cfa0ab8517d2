"""The exchange's recordings sound, are as long as people talked, and are sent where the journal says."""

import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from random import Random
from threading import Thread

import pytest

from shared.contracts.calls.events import call_id
from tools.simulator import audio_synthesis
from tools.simulator.audio_synthesis import synthesize_conversation
from tools.simulator.recordings import ATTEMPTS, MAX_RECORDED_SECONDS, RecordingUploader
from tools.simulator.reports import Report
from tools.simulator.stop import Stop

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class NoWait(Stop):
    def wait(self, seconds: float) -> bool:
        return self.requested


@dataclass
class Journal:
    """Sends on to `/media/`, after answering as it was told to. `taken`: what came there, by path."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    taken: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture
def journal() -> Iterator[Journal]:
    told = Journal()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.path.startswith("/media/"):
                told.taken[self.path] = sent
                return self._answer(201)
            told.asked.append(self.path)
            return self._answer(told.answers.pop(0) if told.answers else 307)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Location", f"/media/{len(told.asked)}?link=x")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def call(key: str, talked: float | None) -> list[Report]:
    """The reports of a call; nobody answers it when nobody talked."""
    answered = [] if talked is None else [Report(f"{key}.2", "oselia", key, "answered", NOON, {"party": "101"})]
    ended = NOON + timedelta(seconds=talked or 0)
    return [*answered, Report(f"{key}.3", "oselia", key, "ended", ended, {"by": "caller", "cause": 16, "sip": None})]


def told(journal: Journal, *bursts: list[Report], share: float = 1.0) -> None:
    list(RecordingUploader(journal.url, "key", share, Random(1), NoWait()).watch(bursts))


def seconds(sound: bytes) -> float:
    with wave.open(BytesIO(sound)) as file:
        return file.getnframes() / file.getframerate()


def test_the_recording_of_an_answered_call_is_as_long_as_the_talk(journal: Journal):
    told(journal, call("a", 3.5))
    assert journal.asked == [f"/api/v1/calls/{call_id('oselia', 'a')}/recording"]
    assert [seconds(sound) for sound in journal.taken.values()] == [3.5]


def test_an_unanswered_call_is_not_recorded(journal: Journal):
    told(journal, call("a", None), call("b", 0.0))
    assert journal.asked == []


def test_a_recording_has_a_maximum_length(journal: Journal):
    told(journal, call("a", MAX_RECORDED_SECONDS * 3))
    assert [seconds(sound) for sound in journal.taken.values()] == [MAX_RECORDED_SECONDS]


def test_only_a_share_of_the_calls_is_recorded(journal: Journal):
    told(journal, *(call(str(number), 0.1) for number in range(40)), share=0.5)
    assert 10 < len(journal.taken) < 30


def test_an_upload_is_retried_until_the_journal_accepts_it(journal: Journal):
    journal.answers = [404, 503]
    told(journal, call("a", 0.1))
    assert (len(journal.asked), len(journal.taken)) == (3, 1)


def test_an_upload_is_given_up_after_the_last_attempt(journal: Journal):
    journal.answers = [404] * 100
    told(journal, call("a", 0.1))
    assert (len(journal.asked), journal.taken) == (ATTEMPTS, {})


@pytest.mark.parametrize("espeak", [True, False], ids=["voices, if there are any", "tones"])
def test_two_speakers_alternate_audibly(monkeypatch: pytest.MonkeyPatch, espeak: bool):
    if not espeak:
        monkeypatch.setattr(audio_synthesis, "_espeak", lambda: None)
        audio_synthesis._phrase_audio.cache_clear()
    with wave.open(BytesIO(synthesize_conversation(8.0, Random(3)))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        sound = array("h", file.readframes(file.getnframes()))
    audio_synthesis._phrase_audio.cache_clear()
    quarter = len(sound) // 4
    assert all(max(sound[part * quarter : (part + 1) * quarter]) > 1000 for part in range(4))


def test_equal_generator_states_give_equal_audio():
    assert (
        synthesize_conversation(4.0, Random(5))
        == synthesize_conversation(4.0, Random(5))
        != synthesize_conversation(4.0, Random(1))
    )
