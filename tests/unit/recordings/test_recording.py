"""The rules of a recording: one per call, not replaced, not restored; repeated listening counts once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.recordings.domain import recording as domain
from services.recordings.domain.recording import (
    REPEAT_INTERVAL,
    AudioFile,
    Command,
    DeleteRecording,
    Download,
    Listen,
    Recording,
    StoreRecording,
)
from shared.contracts.errors import Conflict, NotFound, Rejected
from shared.contracts.event import Event
from shared.contracts.recordings.events import (
    Format,
    Reason,
    RecordingDeleted,
    RecordingDownloaded,
    RecordingListened,
    RecordingStored,
    Status,
)
from tests.support.problems import refused

CALL, OBJECT, OLHA, PETRO = (UUID(int=number) for number in range(4))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOUND = AudioFile(format=Format.WAV, duration=timedelta(seconds=11.2), size=179244, sha256="a" * 64, peaks=[0, 255])
OTHER = AudioFile(format=Format.MP3, duration=timedelta(seconds=1), size=1, sha256="b" * 64, peaks=None)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def store(sound: AudioFile = SOUND) -> Command:
    return StoreRecording(call_id=CALL, object_id=OBJECT, audio=sound, at=NOON)


def delete(account: UUID | None = OLHA, reason: Reason = Reason.REQUEST) -> Command:
    return DeleteRecording(call_id=CALL, account_id=account, reason=reason, at=at(9))


def listen(minutes: float = 0, account: UUID = OLHA) -> Command:
    return Listen(call_id=CALL, account_id=account, at=at(minutes))


def download(minutes: float = 0, account: UUID = OLHA) -> Command:
    return Download(call_id=CALL, account_id=account, at=at(minutes))


STORED = RecordingStored(
    call_id=CALL,
    object_id=OBJECT,
    format=SOUND.format,
    duration=SOUND.duration,
    size=SOUND.size,
    sha256=SOUND.sha256,
    peaks=SOUND.peaks,
    stored_at=NOON,
)
DELETED = RecordingDeleted(call_id=CALL, account_id=OLHA, reason=Reason.REQUEST, deleted_at=at(9))


def after(*commands: Command) -> Recording:
    state = domain.INITIAL
    for command in commands:
        for event in domain.decide(state, command):
            state = domain.evolve(state, event)
    return state


def then(command: Command, *before: Command) -> list[Event]:
    return domain.decide(after(*before), command)


def test_the_first_upload_is_stored():
    assert then(store()) == [STORED]


def test_uploading_the_same_bytes_again_causes_no_event():
    assert then(store(), store()) == []


def test_other_bytes_for_the_same_call_are_a_conflict():
    with refused("recording_exists", Conflict):
        then(store(OTHER), store())


@pytest.mark.parametrize("sound", [SOUND, OTHER])
def test_a_deleted_recording_cannot_be_stored_again(sound: AudioFile):
    with refused("recording_deleted", Rejected):
        then(store(sound), store(), delete())


def test_a_recording_is_deleted_by_request_or_by_retention():
    assert then(delete(), store()) == [DELETED]
    [event] = then(delete(None, Reason.RETENTION), store())
    assert event == RecordingDeleted(call_id=CALL, account_id=None, reason=Reason.RETENTION, deleted_at=at(9))


@pytest.mark.parametrize("command", [delete(), listen(), download()])
@pytest.mark.parametrize("before", [(), (store(), delete())])
def test_commands_without_a_recording_are_not_found(command: Command, before: tuple[Command, ...]):
    with pytest.raises(NotFound):
        then(command, *before)


def test_listening_and_downloading_are_recorded():
    assert then(listen(1), store()) == [RecordingListened(call_id=CALL, account_id=OLHA, listened_at=at(1))]
    assert then(download(1), store()) == [RecordingDownloaded(call_id=CALL, account_id=OLHA, downloaded_at=at(1))]


def test_repeated_listening_within_the_interval_counts_once_per_account():
    minutes = REPEAT_INTERVAL.total_seconds() / 60
    assert then(listen(minutes - 0.01), store(), listen(0)) == []
    assert len(then(listen(minutes), store(), listen(0))) == 1
    assert len(then(listen(0.1, PETRO), store(), listen(0))) == 1
    assert len(then(download(0.1), store(), listen(0))) == 1


def test_the_published_state_has_the_status():
    assert domain.state(after(store(), listen())).status is Status.AVAILABLE
    published = domain.state(after(store(), listen(), delete()))
    assert (published.status, published.size, published.deleted_at) == (Status.DELETED, SOUND.size, at(9))
