"""The journal as somebody may see it: pages by keyset, and one call. Every question takes the scope."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from services.gateway import parties
from services.gateway.cursors import Cursor
from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.freshness import Heartbeat
from services.gateway.domain.scope import Scope
from services.gateway.parties import Among
from shared.contracts.errors import NotFound
from shared.contracts.values import Phase, Status
from shared.contracts.wire import Json

PATIENCE = "set local statement_timeout = '2s'"
# A text may stand for a thousand addresses: a plan made for any number of them is a bad one.
NEW_PLAN = "set local plan_cache_mode = force_custom_plan"

INSTANT = """to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
SECONDS = "extract(epoch from {0})::text"
COMMENT = f"""
    (select json_build_object(
                'text', comment.text,
                'author', json_build_object('account_id', comment.author_id, 'name', coalesce(author.name, '')),
                'created_at', {INSTANT.format("comment.created_at")},
                'updated_at', {INSTANT.format("comment.updated_at")},
                'version', comment.version)
       from journal_comments as comment
       left join accounts as author on author.id = comment.author_id
      where comment.tenant = journal.tenant and comment.call_id = journal.call_id and comment.text is not null)
"""
PRICE = f"""
    (select json_build_object(
                'state', price.state,
                'amount', price.amount::text,
                'currency', price.currency,
                'due_at', {INSTANT.format("price.due_at")},
                'reason', price.reason)
       from journal_prices as price
      where price.tenant = journal.tenant and price.call_id = journal.call_id)
"""
RECORDING = f"""
    (select json_build_object(
                'state', recording.status,
                'duration_seconds', {SECONDS.format("recording.duration")},
                'format', recording.format,
                'size', recording.size)
       from journal_recordings as recording
      where recording.tenant = journal.tenant and recording.call_id = journal.call_id)
"""
COLUMNS = f"""
    journal.call_id::text, journal.direction, journal.status, journal.phase, journal.rule, journal.reason,
    journal.caller, journal.caller_name, journal.callee, journal.line, journal.rung, journal.offline,
    journal.answered_by, journal.ended_by, journal.cause, journal.returned_by::text, journal.placed_at,
    {INSTANT.format("journal.placed_at")}, {INSTANT.format("journal.ringing_at")},
    {INSTANT.format("journal.answered_at")}, {INSTANT.format("journal.ended_at")},
    {SECONDS.format("journal.wait_time")}, {SECONDS.format("journal.talk_time")}, {COMMENT},
    {PRICE}, {RECORDING}
"""
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
HEARD = "select owner, said_at, outbox_age from owners"

LIVE_PHASES = frozenset(Phase) - {Phase.ENDED}


class Row(NamedTuple):
    """A call as the view keeps it; Postgres writes ids, instants and seconds out several times faster than we would."""

    call_id: str
    direction: str
    status: str
    phase: str
    rule: str
    reason: str | None
    caller: str
    caller_name: str | None
    callee: str
    line: str | None
    rung: list[str]
    offline: list[str]
    answered_by: list[str]
    ended_by: str | None
    cause: int | None
    returned_by: str | None
    at: datetime
    placed_at: str
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    wait_seconds: str | None
    talk_seconds: str | None
    comment: Json | None
    price: Json | None
    recording: Json | None


class Page(NamedTuple):
    """Newest first; the cursors lead to the calls before and after, where there are any."""

    rows: Sequence[Row] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


def one(conn: Connection[Any], scope: Scope, call_id: UUID) -> Row:
    """Raises NotFound for a call that is not there or is not in the scope."""
    needed = parties.needed(conn, scope, Filters())
    query = ONE.format(conditions=_all(among.probe for among in needed))
    row = conn.execute(query, {"tenant": scope.tenant, "call_id": call_id} | values_of(needed)).fetchone()
    if row is None:
        raise NotFound
    return Row._make(row)


def page(
    conn: Connection[Any],
    scope: Scope,
    filters: Filters,
    limit: int,
    cursor: Cursor | None = None,
    patience: str = PATIENCE,
) -> Page:
    """The newest `limit` calls, or those next to a cursor."""
    if filters != Filters():
        conn.execute(patience)
    needed = parties.needed(conn, scope, filters)
    asked = asked_of(filters, cursor)
    if shows_nothing(asked, needed):
        return Page()
    order = "asc" if cursor and cursor.newer else "desc"
    query = PAGE.format(newest=_newest(conn, scope.tenant, asked, needed, order), order=order)
    values = {"tenant": scope.tenant, "limit": limit + 1} | asked | values_of(needed)
    if filters.text:
        conn.execute(NEW_PLAN)
    return _page([Row._make(row) for row in conn.execute(query, values)], limit, cursor)


def heard(conn: Connection[Any]) -> dict[str, Heartbeat]:
    """What was last heard from each owner of facts."""
    return {owner: Heartbeat(*beat) for owner, *beat in conn.execute(HEARD)}


def asked_of(filters: Filters, cursor: Cursor | None = None) -> dict[str, Any]:
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


def _newest(conn: Connection[Any], tenant: str, asked: Mapping[str, Any], needed: Sequence[Among], order: str) -> str:
    """The query for the keys of a page: looked up by what narrows it most, the rest asked of each call on the way."""
    if asked.get("phases") and LIVE_PHASES.issuperset(asked["phases"]):
        return _of_all(asked, IN_LIVE, [LIVE, *probes(needed)], order)
    if found := found_by_few(conn, tenant, asked):
        fits = conditions(asked, IN_LIVE, probes(needed), order)
        return OF_CALLS.format(found=found, conditions=fits, order=order)
    first = parties.first_of(conn, tenant, needed)
    if first is None:
        return _of_all(asked, IN_JOURNAL, probes(needed), order)
    own = [OWN] if first.own else []
    others = probes(among for among in needed if among is not first)
    among = f"{first.held} {WANTED}" if "statuses" in asked else first.held
    fits = conditions(asked, IN_PARTIES, [parties.IN_TENURE, *own, *others], order)
    of_parties = OF_PARTIES.format(among=among, conditions=fits, order=order)
    if not first.calls:
        return of_parties
    of_calls = OF_CALLS.format(found=FOUND_BY_TEXT, conditions=conditions(asked, IN_LIVE, others, order), order=order)
    return OF_EITHER.format(of_parties=of_parties, of_calls=of_calls, order=order)


def found_by_few(conn: Connection[Any], tenant: str, asked: Mapping[str, Any]) -> str | None:
    """Where to look up calls with a comment or a recording, if those are so few that this is sooner done."""
    for rows in (FOUND[name] for name in FOUND if name in asked):
        (number,) = conn.execute(FEW.format(rows=rows), {"tenant": tenant, "most": parties.FEW}).fetchone() or (0,)
        if number < parties.FEW:
            return FOUND_BY_FEW.format(rows=rows)
    return None


def _of_all(asked: Mapping[str, Any], filters: Mapping[str, str], others: Sequence[str], order: str) -> str:
    query = OF_STATUSES if "statuses" in asked and filters is IN_JOURNAL else OF_ALL
    return query.format(conditions=conditions(asked, filters, others, order), order=order)


def conditions(asked: Mapping[str, Any], filters: Mapping[str, str], others: Sequence[str], order: str = "desc") -> str:
    """All that must hold of a call `it`: the clauses of what is asked, and the others."""
    wanted = {**filters, "beyond_at": BEYOND[order]}
    return _all([*(clause for name, clause in wanted.items() if name in asked), *others])


def probes(needed: Iterable[Among]) -> list[str]:
    """The conditions that somebody took part, to be asked of each call."""
    return [among.probe for among in needed]


def _all(conditions: Iterable[str]) -> str:
    return " and ".join(conditions) or "true"


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
