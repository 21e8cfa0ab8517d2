"""The rules of a recording: one a call, never another, never again; one sitting is one listening."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.recordings.domain import recording as domain
from services.recordings.domain.recording import (
    ONE_SITTING,
    Command,
    DeleteRecording,
    Download,
    Listen,
    Recording,
    Sound,
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

CALL, OBJECT, OLHA, PETRO = (UUID(int=number) for number in range(4))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOUND = Sound(format=Format.WAV, duration=timedelta(seconds=11.2), size=179244, sha256="a" * 64, peaks=[0, 255])
OTHER = Sound(format=Format.MP3, duration=timedelta(seconds=1), size=1, sha256="b" * 64, peaks=None)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def store(sound: Sound = SOUND) -> Command:
    return StoreRecording(call_id=CALL, object_id=OBJECT, sound=sound, at=NOON)


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


def test_the_first_sound_is_stored():
    assert then(store()) == [STORED]


def test_the_same_bytes_again_change_nothing():
    assert then(store(), store()) == []


def test_other_bytes_for_the_same_call_are_a_conflict():
    with pytest.raises(Conflict):
        then(store(OTHER), store())


@pytest.mark.parametrize("sound", [SOUND, OTHER])
def test_what_was_deleted_is_not_taken_again(sound: Sound):
    with pytest.raises(Rejected, match="recording_deleted"):
        then(store(sound), store(), delete())


def test_it_is_deleted_by_whoever_asks_or_because_it_was_kept_long_enough():
    assert then(delete(), store()) == [DELETED]
    [event] = then(delete(None, Reason.RETENTION), store())
    assert event == RecordingDeleted(call_id=CALL, account_id=None, reason=Reason.RETENTION, deleted_at=at(9))


@pytest.mark.parametrize("command", [delete(), listen(), download()])
@pytest.mark.parametrize("before", [(), (store(), delete())])
def test_where_there_is_none_there_is_nothing_to_do(command: Command, before: tuple[Command, ...]):
    with pytest.raises(NotFound):
        then(command, *before)


def test_who_listens_and_who_downloads_is_noted():
    assert then(listen(1), store()) == [RecordingListened(call_id=CALL, account_id=OLHA, listened_at=at(1))]
    assert then(download(1), store()) == [RecordingDownloaded(call_id=CALL, account_id=OLHA, downloaded_at=at(1))]


def test_one_sitting_is_one_listening_and_each_has_their_own():
    sitting = ONE_SITTING.total_seconds() / 60
    assert then(listen(sitting - 0.01), store(), listen(0)) == []
    assert len(then(listen(sitting), store(), listen(0))) == 1
    assert len(then(listen(0.1, PETRO), store(), listen(0))) == 1
    assert len(then(download(0.1), store(), listen(0))) == 1


def test_others_are_told_what_it_is_or_was():
    assert domain.state(after(store(), listen())).status is Status.AVAILABLE
    told = domain.state(after(store(), listen(), delete()))
    assert (told.status, told.size, told.deleted_at) == (Status.DELETED, SOUND.size, at(9))
