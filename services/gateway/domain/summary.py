"""Summarise the journal from the number of calls of each direction and status."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, TypedDict

from services.gateway.domain.lengths import seconds
from shared.contracts.values import Direction, Status

MISSED = frozenset({Status.MISSED, Status.MISSED_OFFLINE})


class Count(NamedTuple):
    """The number of calls of a direction and status, and their total talk time in seconds."""

    direction: str
    status: str
    calls: int
    talk_seconds: Decimal


class Summary(TypedDict):
    total: int
    inbound: int
    outbound: int
    internal: int
    missed: int
    returned: int
    answered: int
    talk_seconds: str
    by_status: dict[str, int]


def summarise(counts: Iterable[Count]) -> Summary:
    """`missed` excludes returned calls; internal calls are neither inbound nor outbound."""
    by_status, by_direction = dict.fromkeys(map(str, Status), 0), dict.fromkeys(map(str, Direction), 0)
    talk_time = Decimal(0)
    for count in counts:
        by_status[count.status] += count.calls
        by_direction[count.direction] += count.calls
        talk_time += count.talk_seconds
    return {
        "total": sum(by_status.values()),
        "inbound": by_direction[Direction.INBOUND],
        "outbound": by_direction[Direction.OUTBOUND],
        "internal": by_direction[Direction.INTERNAL],
        "missed": sum(by_status[status] for status in MISSED),
        "returned": by_status[Status.RETURNED],
        "answered": by_status[Status.ANSWERED],
        "talk_seconds": seconds(f"{talk_time:.6f}"),
        "by_status": by_status,
    }
