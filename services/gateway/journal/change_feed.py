"""The change feed of the journal: the calls that changed after a feed number, read for several scopes at once.

A change is a whole row. A call that changes again gets a new number, so a reader may skip intermediate states.
Numbers follow the order of commits: a reader that has seen a number has seen all lower ones.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.journal import participants, sql_conditions
from services.gateway.journal.participants import IN_TENURE, ParticipantCondition
from services.gateway.journal.rows import COLUMNS, Row
from services.gateway.journal.sql_conditions import LIVE_CONDITIONS
from shared.plumbing.database import as_rows

MAX_CHANGES_PER_BATCH = 500

# A new feed starts at the current time in microseconds, so a rebuilt feed continues above all earlier numbers.
ASSIGN_FEED_NUMBERS = """
    with changed as (
        select tenant, call_id, row_number() over (partition by tenant order by call_id) as place
          from json_to_recordset(%(changed)s) as changed (tenant text, call_id uuid)
    ), counted as (
        select tenant, count(*) as changes from changed group by tenant
    ), numbered as (
        insert into journal_feeds (tenant, last)
        select tenant, (extract(epoch from clock_timestamp()) * 1000000)::bigint + changes from counted order by tenant
            on conflict (tenant) do update
           set last = journal_feeds.last
                    + (select changes from counted where counted.tenant = journal_feeds.tenant)
        returning tenant, last
    )
    insert into journal_feed (tenant, call_id, feed)
    select tenant, call_id, last + 1 - place from changed join numbered using (tenant)
        on conflict (tenant, call_id) do update set feed = excluded.feed
"""
LAST_FEED_NUMBERS = "select tenant, last from journal_feeds where tenant = any(%(tenants)s)"
BATCH_END = """
    select max(feed)
      from (select feed
              from journal_feed
             where tenant = %(tenant)s and feed > %(after)s and feed <= %(last)s
             order by feed
             limit %(max_rows)s) as next
"""
# `scopes` see every call; the other scopes see the calls in which their lines took part.
VISIBLE_TO = f"""
    select unnest(%(scopes)s::int[])
     union
    select held.scope
      from unnest(%(held_scopes)s::int[], %(held_addresses)s::text[], %(held_from)s::timestamptz[],
                  %(held_until)s::timestamptz[]) as held (scope, address, held_from, held_until)
      join journal_parties as party on party.address = held.address
     where party.tenant = it.tenant and party.call_id = it.call_id and party.own and {IN_TENURE}
"""
CHANGES = f"""
    select changed.feed, visible.scopes, {COLUMNS}
      from journal_feed as changed
     cross join lateral (
        select * from journal
         where journal.tenant = changed.tenant and journal.call_id = changed.call_id
        offset 0) as journal
     cross join lateral (select journal.*) as it
     cross join lateral (select array({VISIBLE_TO}) as scopes offset 0) as visible
     where changed.tenant = %(tenant)s and changed.feed > %(after)s and changed.feed <= %(upto)s
       and visible.scopes <> '{{{{}}}}' and {{conditions}}
     order by changed.feed
"""
Key = tuple[str, str]
"""The tenant and the id of a call."""


class Change(NamedTuple):
    """A row, its feed number, and the indexes of the requested scopes that see it."""

    feed: int
    visible_to: Sequence[int]
    row: Row


def assign_feed_numbers(conn: Connection[Any], changed: Collection[Key]) -> set[str]:
    """Give each changed call the next feed number of its tenant; returns the tenants.

    Call it last in the transaction: it locks the tenant's feed until the commit.
    """
    if changed:
        rows = [{"tenant": tenant, "call_id": call_id} for tenant, call_id in changed]
        conn.execute(ASSIGN_FEED_NUMBERS, {"changed": as_rows(rows)})
    return {tenant for tenant, _ in changed}


def last_feed_numbers(conn: Connection[Any], tenants: Collection[str]) -> dict[str, int]:
    """The feed number of each tenant's last change; a tenant without calls is left out."""
    return dict(conn.execute(LAST_FEED_NUMBERS, {"tenants": list(tenants)}))


def batch_end(conn: Connection[Any], tenant: str, after: int, upto: int) -> int:
    """The feed number where the batch after `after` ends: at most `upto` and MAX_CHANGES_PER_BATCH changes."""
    values = {"tenant": tenant, "after": after, "last": upto, "max_rows": MAX_CHANGES_PER_BATCH}
    (feed,) = conn.execute(BATCH_END, values).fetchone() or (None,)
    return upto if feed is None else int(feed)


def get_changes(
    conn: Connection[Any], scopes: Sequence[Scope], filters: Filters, after: int, upto: int
) -> Sequence[Change]:
    """The changes in (after, upto] that match the filters, as the rows are now. All scopes are of one tenant."""
    tenant = scopes[0].tenant
    assert all(scope.tenant == tenant for scope in scopes)
    conditions, parameters = _participant_conditions(filters), sql_conditions.filter_parameters(filters)
    if sql_conditions.matches_nothing(parameters, conditions):
        return []
    query = CHANGES.format(
        conditions=sql_conditions.where_clause(
            parameters, LIVE_CONDITIONS, sql_conditions.participant_clauses(conditions)
        )
    )
    values = (
        {"tenant": tenant, "after": after, "upto": upto}
        | parameters
        | sql_conditions.participant_parameters(conditions)
        | _scope_parameters(scopes)
    )
    return [Change(feed, visible_to, Row._make(row)) for feed, visible_to, *row in conn.execute(query, values)]


def _participant_conditions(filters: Filters) -> list[ParticipantCondition]:
    """The conditions of the filters without the scope. A text is searched in each call: its addresses may be new."""
    conditions = [participants.party_condition(filters.party)] if filters.party is not None else []
    conditions += [participants.lines_condition("account", filters.lines)] if filters.lines is not None else []
    conditions += (
        [ParticipantCondition(name="text", tenures=None, search=filters.text)] if filters.text is not None else []
    )
    return conditions


def _scope_parameters(scopes: Sequence[Scope]) -> dict[str, Any]:
    held = [(index, line) for index, scope in enumerate(scopes) for line in scope.lines or ()]
    return {
        "scopes": [index for index, scope in enumerate(scopes) if scope.lines is None],
        "held_scopes": [index for index, _ in held],
        "held_addresses": [line.address for _, line in held],
        "held_from": [line.held_from for _, line in held],
        "held_until": [line.held_until for _, line in held],
    }
