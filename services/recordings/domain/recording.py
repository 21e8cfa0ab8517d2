"""The recording of one call: stored once, heard by whom, deleted for good. Pure: a function of state and command."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.errors import Conflict, NotFound, Rejected
from shared.contracts.event import Event
from shared.contracts.recordings.events import (
    Format,
    Reason,
    RecordingDeleted,
    RecordingDownloaded,
    RecordingListened,
    RecordingState,
    RecordingStored,
    Status,
)

ONE_SITTING = timedelta(minutes=2)
"""A player asks for many parts of a sound, on several links: that is one listening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What was found in the bytes that came in. `size` in bytes, `sha256` in hexadecimal digits."""

    format: Format
    duration: timedelta
    size: int
    sha256: str
    peaks: list[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """`heard` and `taken`: when each account last listened and downloaded."""

    stored: RecordingStored | None = None
    deleted_at: datetime | None = None
    heard: Mapping[UUID, datetime] = field(default_factory=dict)
    taken: Mapping[UUID, datetime] = field(default_factory=dict)

    @property
    def available(self) -> bool:
        return self.stored is not None and self.deleted_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    call_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRecording(_Command):
    object_id: UUID
    sound: Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecording(_Command):
    account_id: UUID | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(_Command):
    account_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(_Command):
    account_id: UUID


Command = StoreRecording | DeleteRecording | Listen | Download
INITIAL = Recording()


def decide(recording: Recording, command: Command) -> list[Event]:
    """Raises Conflict where there is another recording, Rejected where there was one, NotFound where there is none."""
    match command:
        case StoreRecording():
            return _store(recording, command)
        case _ if not recording.available:
            raise NotFound
        case DeleteRecording(call_id=call_id, account_id=account, reason=reason, at=at):
            return [RecordingDeleted(call_id=call_id, account_id=account, reason=reason, deleted_at=at)]
        case Listen(call_id=call_id, account_id=account, at=at):
            again = _in_one_sitting(recording.heard, account, at)
            return [] if again else [RecordingListened(call_id=call_id, account_id=account, listened_at=at)]
        case Download(call_id=call_id, account_id=account, at=at):
            again = _in_one_sitting(recording.taken, account, at)
            return [] if again else [RecordingDownloaded(call_id=call_id, account_id=account, downloaded_at=at)]


def _store(recording: Recording, command: StoreRecording) -> list[Event]:
    sound = command.sound
    if recording.deleted_at:
        raise Rejected("recording_deleted")
    if recording.stored is None:
        stored = RecordingStored(
            call_id=command.call_id,
            object_id=command.object_id,
            format=sound.format,
            duration=sound.duration,
            size=sound.size,
            sha256=sound.sha256,
            peaks=sound.peaks,
            stored_at=command.at,
        )
        return [stored]
    if recording.stored.sha256 != sound.sha256:
        raise Conflict("The call has another recording.")
    return []


def _in_one_sitting(last: Mapping[UUID, datetime], account: UUID, at: datetime) -> bool:
    return account in last and at - last[account] < ONE_SITTING


def evolve(recording: Recording, event: Event) -> Recording:
    match event:
        case RecordingStored():
            return replace(recording, stored=event)
        case RecordingDeleted(deleted_at=at):
            return replace(recording, deleted_at=at)
        case RecordingListened(account_id=account, listened_at=at):
            return replace(recording, heard={**recording.heard, account: at})
        case RecordingDownloaded(account_id=account, downloaded_at=at):
            return replace(recording, taken={**recording.taken, account: at})
    return recording


def state(recording: Recording) -> RecordingState:
    """What everybody else is told of the recording."""
    stored = recording.stored
    assert stored is not None, "nothing happens to a recording before it is stored"
    return RecordingState(
        call_id=stored.call_id,
        status=Status.AVAILABLE if recording.available else Status.DELETED,
        format=stored.format,
        duration=stored.duration,
        size=stored.size,
        sha256=stored.sha256,
        stored_at=stored.stored_at,
        deleted_at=recording.deleted_at,
    )
