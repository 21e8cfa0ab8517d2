"""What is asked of the journal, as clauses of SQL: all of them must hold of a call `it`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.gateway.domain.filters import Filters, Has
from services.gateway.http.cursors import Cursor
from services.gateway.journal.participants import Among
from shared.contracts.values import Phase, Status

LIVE = "it.phase <> 'ended'"
OWN = "it.own"
BEYOND = {
    "desc": "(it.placed_at, it.call_id) < (%(beyond_at)s::timestamptz, %(beyond_id)s::uuid)",
    "asc": "(it.placed_at, it.call_id) > (%(beyond_at)s::timestamptz, %(beyond_id)s::uuid)",
}
EVERYWHERE = {
    "placed_from": "it.placed_at >= %(placed_from)s",
    "placed_to": "it.placed_at < %(placed_to)s",
    "directions": "it.direction = any(%(directions)s)",
    "statuses": "it.status = wanted.status",
    "min_talk": "it.talk_time >= %(min_talk)s",
    "max_talk": "it.talk_time <= %(max_talk)s",
    "commented": """
        exists (select from journal_comments as comment
                 where comment.tenant = it.tenant and comment.call_id = it.call_id and comment.text is not null
                offset 0)""",
    "priced": """
        exists (select from journal_prices as price
                 where price.tenant = it.tenant and price.call_id = it.call_id and price.state = 'priced')""",
    "recorded": """
        exists (select from journal_recordings as recording
                 where recording.tenant = it.tenant and recording.call_id = it.call_id
                   and recording.status = 'available'
                offset 0)""",
}
IN_JOURNAL = EVERYWHERE | {"phases": "it.phase = any(%(phases)s)"}
IN_LIVE = IN_JOURNAL | {"statuses": "it.status = any(%(statuses)s)"}
IN_PARTIES = EVERYWHERE | {
    "phases": """
        exists (select from journal
                 where journal.tenant = it.tenant and journal.call_id = it.call_id and journal.phase = any(%(phases)s)
                offset 0)"""
}
LIVE_PHASES = frozenset(Phase) - {Phase.ENDED}


def filter_parameters(filters: Filters, cursor: Cursor | None = None) -> dict[str, Any]:
    """The values of the filters there are, by name."""
    asked = {
        "placed_from": filters.placed_from,
        "placed_to": filters.placed_to,
        "directions": sorted(filters.directions) or None,
        "phases": sorted(filters.phases) or None,
        "min_talk": filters.min_talk,
        "max_talk": filters.max_talk,
        "statuses": _statuses(filters),
        "commented": True if Has.COMMENT in filters.has else None,
        "priced": True if Has.PRICE in filters.has else None,
        "recorded": True if Has.RECORDING in filters.has else None,
        "beyond_at": cursor and cursor.placed_at,
        "beyond_id": cursor and cursor.call_id,
    }
    return {name: value for name, value in asked.items() if value is not None}


def shows_nothing(asked: Mapping[str, Any], needed: Sequence[Among]) -> bool:
    """No call can fit, so that none need be asked."""
    nobody = any(among.nobody for among in needed)
    return asked.get("statuses") == [] or nobody


def _statuses(filters: Filters) -> list[str] | None:
    if Has.CALLBACK not in filters.has:
        return sorted(filters.statuses) or None
    return [Status.RETURNED] if Status.RETURNED in (filters.statuses or Status) else []


def values_of(needed: Sequence[Among]) -> dict[str, Any]:
    """The values of the conditions that somebody took part."""
    return {name: value for among in needed for name, value in among.values.items()}


def fitting(asked: Mapping[str, Any], filters: Mapping[str, str], others: Sequence[str], order: str = "desc") -> str:
    """All that must hold of a call `it`: the clauses of what is asked, and the others."""
    wanted = {**filters, "beyond_at": BEYOND[order]}
    return all_of([*(clause for name, clause in wanted.items() if name in asked), *others])


def probes(needed: Iterable[Among]) -> list[str]:
    """The conditions that somebody took part, to be asked of each call."""
    return [among.probe for among in needed]


def all_of(clauses: Iterable[str]) -> str:
    return " and ".join(clauses) or "true"
