"""The base classes of events: plain data, independent of wire format and storage."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact. Named in the past tense, never changed once written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with its position in the stream and the time it was recorded."""

    id: UUID
    tenant: str
    stream: str
    version: int
    recorded_at: datetime
    correlation_id: str
    event: Event
