"""Facts about the recording of a call. Owned by services/recordings."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.contracts.event import Event


class Format(StrEnum):
    """What a recording may be; OGG holds Opus or Vorbis."""

    WAV = "wav"
    MP3 = "mp3"
    OGG = "ogg"


class Reason(StrEnum):
    """Why a recording was deleted."""

    REQUEST = "request"
    RETENTION = "retention"


class Status(StrEnum):
    AVAILABLE = "available"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStored(Event):
    """The sound of a call came in, was found whole, and is kept.

    `object_id` is its name in the store. `size` in bytes, `sha256` in hexadecimal digits. `peaks` are what the page
    draws: how loud each of as many equal parts is, 0 to 255; None where nobody here can tell.
    """

    call_id: UUID
    object_id: UUID
    format: Format
    duration: timedelta
    size: int
    sha256: str
    peaks: list[int] | None
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDeleted(Event):
    """The sound is gone for good. `account_id` is who asked for it; None when it had been kept long enough."""

    call_id: UUID
    account_id: UUID | None
    reason: Reason
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingListened(Event):
    """Somebody was given the sound to listen to."""

    call_id: UUID
    account_id: UUID
    listened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDownloaded(Event):
    """Somebody was given the sound to take away."""

    call_id: UUID
    account_id: UUID
    downloaded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingState:
    """The recording of a call after its latest event: what it is or, once deleted, was."""

    call_id: UUID
    status: Status
    format: Format
    duration: timedelta
    size: int
    sha256: str
    stored_at: datetime
    deleted_at: datetime | None
