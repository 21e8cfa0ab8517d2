"""Facts about the recording of a call. Owned by services/recordings."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.contracts.event import Event


class Format(StrEnum):
    """The formats of recordings; OGG contains Opus or Vorbis."""

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
    """The audio of a call was received completely and stored.

    `object_id` is its name in the object store. `size` in bytes, `sha256` in hexadecimal digits. `peaks` is the
    peak amplitude of each of equally long parts, 0 to 255; None if the format cannot be decoded.
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
    """The audio was deleted. `account_id` is the account that requested it; None at the end of the retention period."""

    call_id: UUID
    account_id: UUID | None
    reason: Reason
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingListened(Event):
    """Somebody played the recording."""

    call_id: UUID
    account_id: UUID
    listened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDownloaded(Event):
    """Somebody downloaded the recording."""

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
