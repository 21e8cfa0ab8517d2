"""The recording of one call: stored once, played and downloaded by accounts, deleted permanently."""

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

REPEAT_INTERVAL = timedelta(minutes=2)
"""Playing again within it is the same listening: a player requests many parts of a file, with several links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFile:
    """An examined upload. `size` in bytes, `sha256` in hexadecimal digits."""

    format: Format
    duration: timedelta
    size: int
    sha256: str
    peaks: list[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """`listened_at` and `downloaded_at`: the last time of each account."""

    stored: RecordingStored | None = None
    deleted_at: datetime | None = None
    listened_at: Mapping[UUID, datetime] = field(default_factory=dict)
    downloaded_at: Mapping[UUID, datetime] = field(default_factory=dict)

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
    audio: AudioFile


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
    """Decide which events a command causes.

    Raises Conflict if the call has another recording, Rejected if its recording was deleted, NotFound if it has none.
    """
    match command:
        case StoreRecording():
            return _store(recording, command)
        case _ if not recording.available:
            raise NotFound
        case DeleteRecording(call_id=call_id, account_id=account, reason=reason, at=at):
            return [RecordingDeleted(call_id=call_id, account_id=account, reason=reason, deleted_at=at)]
        case Listen(call_id=call_id, account_id=account, at=at):
            repeated = _is_repeat(recording.listened_at, account, at)
            return [] if repeated else [RecordingListened(call_id=call_id, account_id=account, listened_at=at)]
        case Download(call_id=call_id, account_id=account, at=at):
            repeated = _is_repeat(recording.downloaded_at, account, at)
            return [] if repeated else [RecordingDownloaded(call_id=call_id, account_id=account, downloaded_at=at)]


def _store(recording: Recording, command: StoreRecording) -> list[Event]:
    audio = command.audio
    if recording.deleted_at:
        raise Rejected("recording_deleted")
    if recording.stored is None:
        stored = RecordingStored(
            call_id=command.call_id,
            object_id=command.object_id,
            format=audio.format,
            duration=audio.duration,
            size=audio.size,
            sha256=audio.sha256,
            peaks=audio.peaks,
            stored_at=command.at,
        )
        return [stored]
    if recording.stored.sha256 != audio.sha256:
        raise Conflict("recording_exists")
    return []


def _is_repeat(previous: Mapping[UUID, datetime], account: UUID, at: datetime) -> bool:
    return account in previous and at - previous[account] < REPEAT_INTERVAL


def evolve(recording: Recording, event: Event) -> Recording:
    match event:
        case RecordingStored():
            return replace(recording, stored=event)
        case RecordingDeleted(deleted_at=at):
            return replace(recording, deleted_at=at)
        case RecordingListened(account_id=account, listened_at=at):
            return replace(recording, listened_at={**recording.listened_at, account: at})
        case RecordingDownloaded(account_id=account, downloaded_at=at):
            return replace(recording, downloaded_at={**recording.downloaded_at, account: at})
    return recording


def state(recording: Recording) -> RecordingState:
    """The published state of the recording."""
    stored = recording.stored
    assert stored is not None, "the first event of a recording is recording_stored"
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
