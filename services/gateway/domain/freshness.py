"""How far the journal lags behind the services that publish its events, by their heartbeats."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

MAX_HEARTBEAT_AGE = 5.0
"""Seconds; an owner with an older heartbeat is degraded."""


class Heartbeat(NamedTuple):
    """When the heartbeat was sent, by the owner's clock, and the age in seconds of the oldest unpublished event."""

    sent_at: datetime
    outbox_age: float


class Freshness(TypedDict):
    """Seconds of lag by owner, None without any heartbeat, and the owners whose heartbeat is too old."""

    freshness: dict[str, float | None]
    degraded: list[str]


def freshness(owners: Sequence[str], heartbeats: Mapping[str, Heartbeat], now: datetime) -> Freshness:
    age = {
        owner: max((now - heartbeats[owner].sent_at).total_seconds(), 0.0) for owner in owners if owner in heartbeats
    }
    lag = {owner: _lag(age[owner], heartbeats[owner]) if owner in age else None for owner in owners}
    degraded = [owner for owner in owners if age.get(owner, MAX_HEARTBEAT_AGE + 1) > MAX_HEARTBEAT_AGE]
    return {"freshness": lag, "degraded": degraded}


def _lag(age: float, heartbeat: Heartbeat) -> float:
    return round(age + heartbeat.outbox_age, 3)
