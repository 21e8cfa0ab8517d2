"""When the price of an ended call is due, whatever the order in which its versions are heard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHeard:
    """What is known of an ended call: the newest facts, and when the end that they tell of was first received.

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


def merge(known: EndHeard, heard: EndHeard) -> EndHeard:
    """Both together, to be rated if newer facts differ from those known.

    An end that both tell of counts from when the first of them was heard; another end counts anew.
    """
    newer = max(known, heard, key=lambda one: one.version)
    first = min(known, heard, key=lambda one: one.received_at) if known.ended_at == heard.ended_at else newer
    return replace(
        newer,
        received_at=first.received_at,
        due_at=first.due_at,
        pending=known.pending or newer.facts != known.facts,
    )
