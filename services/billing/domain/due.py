"""When the price of an ended call is due, whatever the order in which its versions are heard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

CLOCK_OFF = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHeard:
    """What is known of an ended call: the newest facts, and when its end was first received.

    `pending`: the facts have not been rated yet.
    """

    tenant: str
    call_id: UUID
    version: int
    facts: Mapping[str, Any]
    placed_at: datetime
    ended_at: datetime
    received_at: datetime
    due_at: datetime
    pending: bool
    correlation_id: str


def due_at(ended_at: datetime, received_at: datetime, delay: timedelta) -> datetime:
    """`delay` after the end; after its receipt if the clock that told of it is off."""
    return (received_at if abs(received_at - ended_at) > CLOCK_OFF else ended_at) + delay


def merge(known: EndHeard, heard: EndHeard, delay: timedelta) -> EndHeard:
    """Both together: due anew if newer facts differ from those known."""
    newer = max(known, heard, key=lambda one: one.version)
    received_at = min(known.received_at, heard.received_at)
    return replace(
        newer,
        received_at=received_at,
        due_at=due_at(newer.ended_at, received_at, delay),
        pending=known.pending or newer.facts != known.facts,
    )
