"""The exchange's recordings: brought once whole, tried again while the journal is away, and never twice at once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.asterisk.recording_upload import RecordingUpload, find_recording
from shared.contracts.calls.events import call_id
from shared.plumbing import clock
from tests.unit.asterisk.fake_journal import AS_USUAL, KEY, Journal, listening

SOUND = b"RIFF" + bytes(range(256))
START = datetime(2026, 11, 22, 19, 10, tzinfo=UTC)


@pytest.fixture
def journal() -> Iterator[Journal]:
    with listening() as server:
        yield server


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets time pass; it stands still otherwise."""
    now = [START]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def passed(**time: float) -> None:
        now[0] += timedelta(**time)

    return passed


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "monitor"
    folder.mkdir()
    return folder


def recordings(tmp_path: Path, journal: Journal, key: str = KEY) -> RecordingUpload:
    return RecordingUpload(tmp_path / "notes", tmp_path / "monitor", journal.url, key)


def report(call: str = "1795373819.14", file: str = "/var/spool/asterisk/monitor/a.wav") -> dict:
    format_ = {"format": file.rpartition(".")[2]} if "/" in file else {}
    return {"tenant": "acme", "call": call, "type": "recorded", "data": {"file": file, **format_}}


def notes(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "notes").iterdir()]


ID = str(call_id("acme", "1795373819.14"))


def test_a_recording_is_brought_once_nobody_writes_to_it(tmp_path, journal, wait, sounds):
    one = recordings(tmp_path, journal)
    one.schedule(report())
    for growing in (b"", SOUND[:44], SOUND[:100], SOUND):
        (sounds / "a.wav").write_bytes(growing)
        one.upload_due()
        wait(minutes=10)
    assert journal.asked == []
    one.upload_due()
    assert journal.taken == {ID: SOUND}
    assert notes(tmp_path) == []


def test_the_file_may_come_later_than_the_report_of_it(tmp_path, journal, wait, sounds):
    one = recordings(tmp_path, journal)
    one.schedule(report())
    one.upload_due()
    (sounds / "a.wav").write_bytes(SOUND)
    for _ in range(2):
        wait(minutes=10)
        one.upload_due()
    assert journal.taken == {ID: SOUND}


def test_what_the_disk_says_no_to_costs_one_sound_and_is_tried_again(tmp_path, journal, wait, sounds):
    (sounds / "a.wav").write_bytes(SOUND)
    one = recordings(tmp_path, journal)
    one.schedule(report("1795373819.1", "/var/spool/asterisk/monitor/" + "ї" * 300 + ".wav"))
    one.schedule(report())
    (tmp_path / "notes" / "half.json").write_text('{"file": "a.')
    for _ in range(2):
        one.upload_due()
        wait(seconds=2)
    assert journal.taken == {ID: SOUND}
    assert sorted(notes(tmp_path)) == sorted([f"{call_id('acme', '1795373819.1')}.json", "half.unreadable"])
    wait(days=1)
    one.upload_due()
    assert notes(tmp_path) == ["half.unreadable"]


def test_what_is_due_outlives_the_process(tmp_path, journal, wait, sounds):
    recordings(tmp_path, journal).schedule(report())
    (sounds / "a.wav").write_bytes(SOUND)
    another = recordings(tmp_path, journal)
    another.upload_due()
    wait(seconds=2)
    another.upload_due()
    assert journal.taken == {ID: SOUND}


@pytest.mark.parametrize("answers", [[404], [503], [429], [401], [AS_USUAL, 507], [AS_USUAL, 403]])
def test_a_journal_that_does_not_take_it_yet_is_asked_again(tmp_path, journal, wait, sounds, answers):
    (sounds / "a.wav").write_bytes(SOUND)
    one = recordings(tmp_path, journal)
    one.schedule(report())
    one.upload_due()
    wait(seconds=2)
    journal.answers = list(answers)
    for _ in range(3):
        one.upload_due()
    assert (journal.taken, notes(tmp_path), len(journal.asked)) == ({}, [f"{ID}.json"], len(answers))
    wait(seconds=5)
    one.upload_due()
    assert (journal.taken, notes(tmp_path)) == ({ID: SOUND}, [])


def test_a_journal_that_is_not_there_is_waited_for(tmp_path, journal, wait, sounds):
    (sounds / "a.wav").write_bytes(SOUND)
    one = RecordingUpload(tmp_path / "notes", sounds, "http://127.0.0.1:1", KEY)
    one.schedule(report())
    for _ in range(3):
        one.upload_due()
        wait(minutes=10)
    assert notes(tmp_path) == [f"{ID}.json"]


@pytest.mark.parametrize("status", [409, 413, 415, 422])
def test_what_will_never_be_taken_is_said_and_left(tmp_path, journal, wait, sounds, caplog, status):
    (sounds / "a.wav").write_bytes(SOUND)
    one = recordings(tmp_path, journal)
    one.schedule(report())
    journal.answers = [status]
    for _ in range(3):
        one.upload_due()
        wait(minutes=10)
    assert (len(journal.asked), notes(tmp_path)) == (1, [])
    assert [record.response for record in caplog.records] == [str(status)]


def test_after_a_day_a_file_that_never_came_is_given_up(tmp_path, journal, wait, sounds, caplog):
    one = recordings(tmp_path, journal)
    one.schedule(report())
    wait(hours=23)
    one.upload_due()
    assert notes(tmp_path) == [f"{ID}.json"]
    wait(hours=2)
    one.upload_due()
    assert notes(tmp_path) == []
    assert caplog.messages == ["stopped retrying the upload of a recording"]


def test_one_that_is_not_whole_does_not_keep_others_waiting(tmp_path, journal, wait, sounds):
    one = recordings(tmp_path, journal)
    for number in range(5):
        one.schedule(report(f"1795373819.{number}", f"/monitor/{number}.wav"))
    (sounds / "3.wav").write_bytes(SOUND)
    for _ in range(2):
        one.upload_due()
        wait(seconds=2)
    assert list(journal.taken) == [str(call_id("acme", "1795373819.3"))]


@pytest.mark.parametrize(
    "file",
    [
        "2026/11/24/a.wav",
        "/var/spool/asterisk/monitor/2026/11/24/a.wav",
        "/home/pbx/../calls/2026/11/24/a.wav",
        "2026/11/24/a.gsm",
    ],
)
def test_the_folder_may_have_another_name_here_than_on_the_exchange(sounds, file):
    there = sounds / "2026/11/24"
    there.mkdir(parents=True)
    (there / "a.wav").write_bytes(SOUND)
    (there / "ab.wav").write_bytes(SOUND)
    assert find_recording(sounds, file, named=True) == there / "a.wav"


@pytest.mark.parametrize("file", ["../secret.wav", "/../secret.wav", "a/../../secret.wav", "b.wav", "", "/"])
def test_nothing_outside_the_folder_is_found(tmp_path, sounds, file):
    (tmp_path / "secret.wav").write_bytes(SOUND)
    assert find_recording(sounds, file, named=True) is None


def test_a_file_whose_name_nobody_told_is_found_by_the_channels_uniqueid(sounds):
    (sounds / "today").mkdir()
    (sounds / "today/q-1795373866.62.wav").write_bytes(SOUND)
    assert find_recording(sounds, "1795373866.62", named=False) == sounds / "today/q-1795373866.62.wav"
    assert [find_recording(sounds, other, named=False) for other in ("1795373866.6", "795373866.62", "", "*")] == [
        None
    ] * 4
