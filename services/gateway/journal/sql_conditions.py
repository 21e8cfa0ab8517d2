"""SQL clauses for the filters of the journal. A call `it` must meet all of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.gateway.domain.filters import Filters, Has
from services.gateway.http.cursors import Cursor
from services.gateway.journal.participants import ParticipantCondition
from shared.contracts.values import Phase, Status

IS_LIVE = "it.phase <> 'ended'"
IS_OWN = "it.own"
BEYOND_CURSOR = {
    "desc": "(it.placed_at, it.call_id) < (%(beyond_at)s::timestamptz, %(beyond_id)s::uuid)",
    "asc": "(it.placed_at, it.call_id) > (%(beyond_at)s::timestamptz, %(beyond_id)s::uuid)",
}
SHARED_CONDITIONS = {
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
JOURNAL_CONDITIONS = SHARED_CONDITIONS | {"phases": "it.phase = any(%(phases)s)"}
LIVE_CONDITIONS = JOURNAL_CONDITIONS | {"statuses": "it.status = any(%(statuses)s)"}
PARTY_CONDITIONS = SHARED_CONDITIONS | {
    "phases": """
        exists (select from journal
                 where journal.tenant = it.tenant and journal.call_id = it.call_id and journal.phase = any(%(phases)s)
                offset 0)"""
}
LIVE_PHASES = frozenset(Phase) - {Phase.ENDED}


def filter_parameters(filters: Filters, cursor: Cursor | None = None) -> dict[str, Any]:
    """SQL parameters of the filters that are set, by name."""
    parameters = {
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
    return {name: value for name, value in parameters.items() if value is not None}


def matches_nothing(parameters: Mapping[str, Any], needed: Sequence[ParticipantCondition]) -> bool:
    """Whether no call can match, so that no query is needed."""
    matches_nobody = any(condition.matches_nobody for condition in needed)
    return parameters.get("statuses") == [] or matches_nobody


def _statuses(filters: Filters) -> list[str] | None:
    if Has.CALLBACK not in filters.has:
        return sorted(filters.statuses) or None
    return [Status.RETURNED] if Status.RETURNED in (filters.statuses or Status) else []


def participant_parameters(needed: Sequence[ParticipantCondition]) -> dict[str, Any]:
    """SQL parameters of the conditions on participants."""
    return {name: value for condition in needed for name, value in condition.parameters.items()}


def where_clause(
    parameters: Mapping[str, Any], filters: Mapping[str, str], extra_clauses: Sequence[str], order: str = "desc"
) -> str:
    """The condition on a call `it`: the clauses of `filters` that have a parameter, and `extra_clauses`."""
    clauses = {**filters, "beyond_at": BEYOND_CURSOR[order]}
    return all_of([*(clause for name, clause in clauses.items() if name in parameters), *extra_clauses])


def participant_clauses(needed: Iterable[ParticipantCondition]) -> list[str]:
    """The conditions on participants as clauses that are checked on each call."""
    return [condition.clause for condition in needed]


def all_of(clauses: Iterable[str]) -> str:
    return " and ".join(clauses) or "true"
