"""What an event is. Plain data: nothing here knows how it travels or where it is kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact. Named in the past tense, never changed once written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with the place and time it was written down."""

    id: UUID
    tenant: str
    stream: str
    version: int
    recorded_at: datetime
    correlation_id: str
    event: Event
