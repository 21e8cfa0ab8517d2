"""The journal as somebody may see it: pages by keyset, one call, all that fits. Every question takes the scope."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.http.cursors import Cursor
from services.gateway.journal import participants, sql_conditions
from services.gateway.journal.participants import Among
from services.gateway.journal.rows import COLUMNS, Row
from services.gateway.journal.sql_conditions import (
    IN_JOURNAL,
    IN_LIVE,
    IN_PARTIES,
    LIVE,
    LIVE_PHASES,
    OWN,
    fitting,
    probes,
)
from shared.contracts.errors import NotFound

# A text may stand for a thousand addresses: a plan made for any number of them is a bad one.
NEW_PLAN = "set local plan_cache_mode = force_custom_plan"

ONE = f"""
    select {COLUMNS}
      from journal
     cross join lateral (select journal.call_id, journal.placed_at) as it
     where journal.tenant = %(tenant)s and journal.call_id = %(call_id)s and {{conditions}}
"""
PAGE = f"""
    select {COLUMNS}
      from ({{newest}}) as it
     cross join lateral (
        select * from journal where journal.tenant = %(tenant)s and journal.call_id = it.call_id offset 0) as journal
     order by journal.placed_at {{order}}, journal.call_id {{order}}
"""
OF_ALL = """
    select it.placed_at, it.call_id
      from journal as it
     where it.tenant = %(tenant)s and {conditions}
     order by it.placed_at {order}, it.call_id {order}
     limit %(limit)s
"""
OF_STATUSES = f"""
    select newest.placed_at, newest.call_id
      from unnest(%(statuses)s::text[]) as wanted (status)
     cross join lateral ({OF_ALL}) as newest
     order by newest.placed_at {{order}}, newest.call_id {{order}}
     limit %(limit)s
"""
OF_PARTIES = """
    select distinct newest.placed_at, newest.call_id
      from {among}
     cross join lateral (
        select it.placed_at, it.call_id
          from journal_parties as it
         where it.tenant = %(tenant)s and it.address = held.address and {conditions}
         order by it.placed_at {order}, it.call_id {order}
         limit %(limit)s) as newest
     order by newest.placed_at {order}, newest.call_id {order}
     limit %(limit)s
"""
CALLS_FOUND = """
    {found}
     cross join lateral (
        select * from journal where journal.tenant = %(tenant)s and journal.call_id = found.call_id offset 0) as it
"""
OF_CALLS = f"""
    select it.placed_at, it.call_id
      from {CALLS_FOUND}
     where {{conditions}}
     order by it.placed_at {{order}}, it.call_id {{order}}
     limit %(limit)s
"""
FOUND_BY_TEXT = "unnest(%(text_calls)s::uuid[]) as found (call_id)"
FOUND = {
    "commented": "journal_comments where tenant = %(tenant)s and text is not null",
    "recorded": "journal_recordings where tenant = %(tenant)s and status = 'available'",
}
"""By filter, the rows of all the calls that it finds."""
FOUND_BY_FEW = "(select call_id from {rows} offset 0) as found"
FEW = "select count(*) from (select from {rows} limit %(most)s) as few"
OF_EITHER = """
    select placed_at, call_id
      from (({of_parties}) union ({of_calls})) as either
     order by placed_at {order}, call_id {order}
     limit %(limit)s
"""
WANTED = "cross join unnest(%(statuses)s::text[]) as wanted (status)"
KEYS = """
    select uuid_send(call_id)
      from ({newest}) as it
     order by placed_at desc, call_id desc
"""
SOME = f"""
    select {COLUMNS}
      from unnest(%(call_ids)s::uuid[]) with ordinality as wanted (call_id, place)
     cross join lateral (
        select * from journal
         where journal.tenant = %(tenant)s and journal.call_id = wanted.call_id
        offset 0) as journal
     cross join lateral (select journal.call_id, journal.placed_at) as it
     where {{conditions}}
     order by wanted.place
"""
AT_ONE_INSTANT = "set transaction isolation level repeatable read, read only"
PATIENCE_FOR_ALL = 300.0
"""Seconds that all keys may take to be found: an export has no limit of period or rows."""
PATIENTLY = f"set local statement_timeout = '{PATIENCE_FOR_ALL:.0f}s'"
KEYS_AT_ONCE = 10_000


class Page(NamedTuple):
    """Newest first; the cursors lead to the calls before and after, where there are any."""

    rows: Sequence[Row] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


def one(conn: Connection[Any], scope: Scope, call_id: UUID) -> Row:
    """Raises NotFound for a call that is not there or is not in the scope."""
    needed = participants.needed(conn, scope, Filters())
    query = ONE.format(conditions=sql_conditions.all_of(probes(needed)))
    row = conn.execute(
        query, {"tenant": scope.tenant, "call_id": call_id} | sql_conditions.values_of(needed)
    ).fetchone()
    if row is None:
        raise NotFound
    return Row._make(row)


def some(conn: Connection[Any], scope: Scope, call_ids: Sequence[UUID]) -> list[Row]:
    """Those of the calls that are in the scope, in the same order."""
    needed = participants.needed(conn, scope, Filters())
    query = SOME.format(conditions=sql_conditions.all_of(probes(needed)))
    values = {"tenant": scope.tenant, "call_ids": list(call_ids)} | sql_conditions.values_of(needed)
    return [Row._make(row) for row in conn.execute(query, values)]


def hold_still(conn: Connection[Any]) -> None:
    """From here to its end the transaction sees one instant; nothing may have been asked in it before."""
    conn.execute(AT_ONE_INSTANT)


def keys(conn: Connection[Any], scope: Scope, filters: Filters) -> Iterator[list[bytes]]:
    """The ids of all calls that fit, newest first, some at a time."""
    conn.execute(PATIENTLY)
    needed, asked = participants.needed(conn, scope, filters), sql_conditions.filter_parameters(filters)
    if sql_conditions.shows_nothing(asked, needed):
        return
    if filters.text:
        conn.execute(NEW_PLAN)
    query = KEYS.format(newest=_newest(conn, scope.tenant, asked, needed, "desc"))
    values = {"tenant": scope.tenant, "limit": None} | asked | sql_conditions.values_of(needed)
    with conn.cursor("keys") as cursor:
        cursor.execute(query, values)
        while found := cursor.fetchmany(KEYS_AT_ONCE):
            yield [key for (key,) in found]


def page(conn: Connection[Any], scope: Scope, filters: Filters, limit: int, cursor: Cursor | None = None) -> Page:
    """The newest `limit` calls, or those next to a cursor."""
    needed = participants.needed(conn, scope, filters)
    asked = sql_conditions.filter_parameters(filters, cursor)
    if sql_conditions.shows_nothing(asked, needed):
        return Page()
    order = "asc" if cursor and cursor.newer else "desc"
    query = PAGE.format(newest=_newest(conn, scope.tenant, asked, needed, order), order=order)
    values = {"tenant": scope.tenant, "limit": limit + 1} | asked | sql_conditions.values_of(needed)
    if filters.text:
        conn.execute(NEW_PLAN)
    return _page([Row._make(row) for row in conn.execute(query, values)], limit, cursor)


def _newest(conn: Connection[Any], tenant: str, asked: Mapping[str, Any], needed: Sequence[Among], order: str) -> str:
    """The query for the keys of a page: looked up by what narrows it most, the rest asked of each call on the way."""
    if asked.get("phases") and LIVE_PHASES.issuperset(asked["phases"]):
        return _of_all(asked, IN_LIVE, [LIVE, *probes(needed)], order)
    if found := found_by_few(conn, tenant, asked):
        fits = fitting(asked, IN_LIVE, probes(needed), order)
        return OF_CALLS.format(found=found, conditions=fits, order=order)
    first = participants.first_of(conn, tenant, needed)
    if first is None:
        return _of_all(asked, IN_JOURNAL, probes(needed), order)
    own = [OWN] if first.own else []
    others = probes(among for among in needed if among is not first)
    among = f"{first.held} {WANTED}" if "statuses" in asked else first.held
    fits = fitting(asked, IN_PARTIES, [participants.IN_TENURE, *own, *others], order)
    of_parties = OF_PARTIES.format(among=among, conditions=fits, order=order)
    if not first.calls:
        return of_parties
    of_calls = OF_CALLS.format(found=FOUND_BY_TEXT, conditions=fitting(asked, IN_LIVE, others, order), order=order)
    return OF_EITHER.format(of_parties=of_parties, of_calls=of_calls, order=order)


def found_by_few(conn: Connection[Any], tenant: str, asked: Mapping[str, Any]) -> str | None:
    """Where to look up calls with a comment or a recording, if those are so few that this is sooner done."""
    for rows in (FOUND[name] for name in FOUND if name in asked):
        (number,) = conn.execute(FEW.format(rows=rows), {"tenant": tenant, "most": participants.FEW}).fetchone() or (0,)
        if number < participants.FEW:
            return FOUND_BY_FEW.format(rows=rows)
    return None


def _of_all(asked: Mapping[str, Any], filters: Mapping[str, str], others: Sequence[str], order: str) -> str:
    query = OF_STATUSES if "statuses" in asked and filters is IN_JOURNAL else OF_ALL
    return query.format(conditions=fitting(asked, filters, others, order), order=order)


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
