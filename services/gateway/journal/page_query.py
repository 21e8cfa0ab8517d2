"""Read the journal within a scope: pages by keyset, single calls, and the ids of all matching calls.

`get_page` first selects the keys of the page's calls in the order of an index, then joins the full rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.http.cursors import Cursor
from services.gateway.journal import participants, sql_conditions
from services.gateway.journal.participants import ParticipantCondition
from services.gateway.journal.rows import COLUMNS, Row
from services.gateway.journal.sql_conditions import (
    IS_LIVE,
    IS_OWN,
    JOURNAL_CONDITIONS,
    LIVE_CONDITIONS,
    LIVE_PHASES,
    PARTY_CONDITIONS,
    participant_clauses,
    where_clause,
)
from shared.contracts.errors import NotFound

# A search text may match a thousand addresses; a generic plan is slow for so many.
FORCE_CUSTOM_PLAN = "set local plan_cache_mode = force_custom_plan"

CALL_BY_ID = f"""
    select {COLUMNS}
      from journal
     cross join lateral (select journal.call_id, journal.placed_at) as it
     where journal.tenant = %(tenant)s and journal.call_id = %(call_id)s and {{conditions}}
"""
PAGE_OF_ROWS = f"""
    select {COLUMNS}
      from ({{newest}}) as it
     cross join lateral (
        select * from journal where journal.tenant = %(tenant)s and journal.call_id = it.call_id offset 0) as journal
     order by journal.placed_at {{order}}, journal.call_id {{order}}
"""
ALL_CALLS = """
    select it.placed_at, it.call_id
      from journal as it
     where it.tenant = %(tenant)s and {conditions}
     order by it.placed_at {order}, it.call_id {order}
     limit %(limit)s
"""
CALLS_OF_STATUSES = f"""
    select newest.placed_at, newest.call_id
      from unnest(%(statuses)s::text[]) as wanted (status)
     cross join lateral ({ALL_CALLS}) as newest
     order by newest.placed_at {{order}}, newest.call_id {{order}}
     limit %(limit)s
"""
CALLS_OF_PARTICIPANTS = """
    select distinct newest.placed_at, newest.call_id
      from {condition}
     cross join lateral (
        select it.placed_at, it.call_id
          from journal_parties as it
         where it.tenant = %(tenant)s and it.address = held.address and {conditions}
         order by it.placed_at {order}, it.call_id {order}
         limit %(limit)s) as newest
     order by newest.placed_at {order}, newest.call_id {order}
     limit %(limit)s
"""
JOIN_LISTED_CALLS = """
    {source}
     cross join lateral (
        select * from journal where journal.tenant = %(tenant)s and journal.call_id = listed.call_id offset 0) as it
"""
LISTED_CALLS = f"""
    select it.placed_at, it.call_id
      from {JOIN_LISTED_CALLS}
     where {{conditions}}
     order by it.placed_at {{order}}, it.call_id {{order}}
     limit %(limit)s
"""
CALLS_WITH_TEXT = "unnest(%(text_calls)s::uuid[]) as listed (call_id)"
DETAIL_ROWS = {
    "commented": "journal_comments where tenant = %(tenant)s and text is not null",
    "recorded": "journal_recordings where tenant = %(tenant)s and status = 'available'",
}
"""By filter, the table and condition that select the calls with that detail."""
CALLS_WITH_DETAIL = "(select call_id from {rows} offset 0) as listed"
COUNT_DETAIL_ROWS = "select count(*) from (select from {rows} limit %(max_rows)s) as limited"
UNION_OF_CALLS = """
    select placed_at, call_id
      from (({calls_of_participants}) union ({listed_calls})) as either
     order by placed_at {order}, call_id {order}
     limit %(limit)s
"""
EACH_STATUS = "cross join unnest(%(statuses)s::text[]) as wanted (status)"
CALL_IDS = """
    select uuid_send(call_id)
      from ({newest}) as it
     order by placed_at desc, call_id desc
"""
CALLS_BY_ID = f"""
    select {COLUMNS}
      from unnest(%(call_ids)s::uuid[]) with ordinality as requested (call_id, position)
     cross join lateral (
        select * from journal
         where journal.tenant = %(tenant)s and journal.call_id = requested.call_id
        offset 0) as journal
     cross join lateral (select journal.call_id, journal.placed_at) as it
     where {{conditions}}
     order by requested.position
"""
REPEATABLE_READ = "set transaction isolation level repeatable read, read only"
MAX_EXPORT_QUERY_SECONDS = 300.0
"""Timeout of the query for all call ids of an export, which is not limited in period or rows."""
EXPORT_STATEMENT_TIMEOUT = f"set local statement_timeout = '{MAX_EXPORT_QUERY_SECONDS:.0f}s'"
CALL_IDS_PER_FETCH = 10_000


class Page(NamedTuple):
    """Rows, newest first; `older` and `newer` are cursors to the neighbouring pages, None where there is none."""

    rows: Sequence[Row] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


def get_call(conn: Connection[Any], scope: Scope, call_id: UUID) -> Row:
    """The row of a call. Raises NotFound for a call that does not exist or is not in the scope."""
    needed = participants.participant_conditions(conn, scope, Filters())
    query = CALL_BY_ID.format(conditions=sql_conditions.all_of(participant_clauses(needed)))
    row = conn.execute(
        query, {"tenant": scope.tenant, "call_id": call_id} | sql_conditions.participant_parameters(needed)
    ).fetchone()
    if row is None:
        raise NotFound
    return Row._make(row)


def get_calls(conn: Connection[Any], scope: Scope, call_ids: Sequence[UUID]) -> list[Row]:
    """The rows of those calls that are in the scope, in the order of `call_ids`."""
    needed = participants.participant_conditions(conn, scope, Filters())
    query = CALLS_BY_ID.format(conditions=sql_conditions.all_of(participant_clauses(needed)))
    values = {"tenant": scope.tenant, "call_ids": list(call_ids)} | sql_conditions.participant_parameters(needed)
    return [Row._make(row) for row in conn.execute(query, values)]


def use_one_snapshot(conn: Connection[Any]) -> None:
    """Let the transaction read one snapshot from here on. It must be the first statement of the transaction."""
    conn.execute(REPEATABLE_READ)


def iterate_call_ids(conn: Connection[Any], scope: Scope, filters: Filters) -> Iterator[list[bytes]]:
    """The ids of all matching calls as 16 bytes each, newest first, in batches."""
    conn.execute(EXPORT_STATEMENT_TIMEOUT)
    needed, parameters = (
        participants.participant_conditions(conn, scope, filters),
        sql_conditions.filter_parameters(filters),
    )
    if sql_conditions.matches_nothing(parameters, needed):
        return
    if filters.text:
        conn.execute(FORCE_CUSTOM_PLAN)
    query = CALL_IDS.format(newest=_newest_calls(conn, scope.tenant, parameters, needed, "desc"))
    values = {"tenant": scope.tenant, "limit": None} | parameters | sql_conditions.participant_parameters(needed)
    with conn.cursor("keys") as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(CALL_IDS_PER_FETCH):
            yield [call_id for (call_id,) in rows]


def get_page(conn: Connection[Any], scope: Scope, filters: Filters, limit: int, cursor: Cursor | None = None) -> Page:
    """The newest `limit` calls that match, or the `limit` calls next to a cursor."""
    needed = participants.participant_conditions(conn, scope, filters)
    parameters = sql_conditions.filter_parameters(filters, cursor)
    if sql_conditions.matches_nothing(parameters, needed):
        return Page()
    order = "asc" if cursor and cursor.newer else "desc"
    query = PAGE_OF_ROWS.format(newest=_newest_calls(conn, scope.tenant, parameters, needed, order), order=order)
    values = {"tenant": scope.tenant, "limit": limit + 1} | parameters | sql_conditions.participant_parameters(needed)
    if filters.text:
        conn.execute(FORCE_CUSTOM_PLAN)
    return _page([Row._make(row) for row in conn.execute(query, values)], limit, cursor)


def _newest_calls(
    conn: Connection[Any],
    tenant: str,
    parameters: Mapping[str, Any],
    needed: Sequence[ParticipantCondition],
    order: str,
) -> str:
    """The query for the keys of a page. It starts from the most selective condition and checks the others per call."""
    if parameters.get("phases") and LIVE_PHASES.issuperset(parameters["phases"]):
        return _all_calls(parameters, LIVE_CONDITIONS, [IS_LIVE, *participant_clauses(needed)], order)
    if source := few_calls_with_detail(conn, tenant, parameters):
        conditions = where_clause(parameters, LIVE_CONDITIONS, participant_clauses(needed), order)
        return LISTED_CALLS.format(source=source, conditions=conditions, order=order)
    first = participants.most_selective(conn, tenant, needed)
    if first is None:
        return _all_calls(parameters, JOURNAL_CONDITIONS, participant_clauses(needed), order)
    own = [IS_OWN] if first.own else []
    extra_clauses = participant_clauses(condition for condition in needed if condition is not first)
    condition = f"{first.tenures_sql} {EACH_STATUS}" if "statuses" in parameters else first.tenures_sql
    conditions = where_clause(parameters, PARTY_CONDITIONS, [participants.IN_TENURE, *own, *extra_clauses], order)
    calls_of_participants = CALLS_OF_PARTICIPANTS.format(condition=condition, conditions=conditions, order=order)
    if not first.calls:
        return calls_of_participants
    listed_calls = LISTED_CALLS.format(
        source=CALLS_WITH_TEXT, conditions=where_clause(parameters, LIVE_CONDITIONS, extra_clauses, order), order=order
    )
    return UNION_OF_CALLS.format(calls_of_participants=calls_of_participants, listed_calls=listed_calls, order=order)


def few_calls_with_detail(conn: Connection[Any], tenant: str, parameters: Mapping[str, Any]) -> str | None:
    """The source of all calls with a comment or a recording, if so few have one that starting there is fastest."""
    for rows in (DETAIL_ROWS[name] for name in DETAIL_ROWS if name in parameters):
        (number,) = conn.execute(
            COUNT_DETAIL_ROWS.format(rows=rows), {"tenant": tenant, "max_rows": participants.MAX_CALLS_TO_LOOK_UP}
        ).fetchone() or (0,)
        if number < participants.MAX_CALLS_TO_LOOK_UP:
            return CALLS_WITH_DETAIL.format(rows=rows)
    return None


def _all_calls(
    parameters: Mapping[str, Any], filters: Mapping[str, str], extra_clauses: Sequence[str], order: str
) -> str:
    query = CALLS_OF_STATUSES if "statuses" in parameters and filters is JOURNAL_CONDITIONS else ALL_CALLS
    return query.format(conditions=where_clause(parameters, filters, extra_clauses, order), order=order)


def _page(rows: list[Row], limit: int, cursor: Cursor | None) -> Page:
    more, rows = len(rows) > limit, rows[:limit]
    if not rows:
        return Page()
    newer = bool(cursor and cursor.newer)
    if newer:
        rows.reverse()
    older_than, newer_than = (_position(rows[-1]), _position(rows[0])._replace(newer=True))
    return Page(
        rows,
        older=older_than if newer or more else None,
        newer=newer_than if (more if newer else cursor) else None,
    )


def _position(row: Row) -> Cursor:
    return Cursor(row.at, UUID(row.call_id))
