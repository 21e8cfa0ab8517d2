"""How far behind the view is, by what the owners of its facts have said of themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

SILENCE = 5.0
"""Seconds after which an owner that has not been heard from counts as away."""


class Heartbeat(NamedTuple):
    """When an owner spoke last, by its clock, and how old the oldest fact was that it had still to tell."""

    said_at: datetime
    outbox_age: float


class Freshness(TypedDict):
    """Seconds of lag by owner, None for one never heard from, and who has gone silent."""

    freshness: dict[str, float | None]
    degraded: list[str]


def freshness(owners: Sequence[str], heard: Mapping[str, Heartbeat], now: datetime) -> Freshness:
    silence = {owner: max((now - heard[owner].said_at).total_seconds(), 0.0) for owner in owners if owner in heard}
    lag = {owner: _lag(silence[owner], heard[owner]) if owner in silence else None for owner in owners}
    degraded = [owner for owner in owners if silence.get(owner, SILENCE + 1) > SILENCE]
    return {"freshness": lag, "degraded": degraded}


def _lag(silence: float, heartbeat: Heartbeat) -> float:
    return round(silence + heartbeat.outbox_age, 3)
