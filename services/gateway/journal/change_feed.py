"""The journal's feed: what has changed since a number, for many audiences at once, each in its own scope.

A change is a whole row. A call that changes again moves on in the feed, so states in between may be skipped and
nothing is lost. Numbers follow the order of commits: who has seen one has seen all below it.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.journal import participants, sql_conditions
from services.gateway.journal.participants import IN_TENURE, Among
from services.gateway.journal.rows import COLUMNS, Row
from services.gateway.journal.sql_conditions import IN_LIVE
from shared.plumbing.database import as_rows

MOST = 500
"""Changes that are looked at together."""

# A feed begins with the clock: made again, it goes on above all numbers that it ever had.
NUMBER_CHANGES = """
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
LAST = "select tenant, last from journal_feeds where tenant = any(%(tenants)s)"
REACH = """
    select max(feed)
      from (select feed
              from journal_feed
             where tenant = %(tenant)s and feed > %(after)s and feed <= %(last)s
             order by feed
             limit %(most)s) as next
"""
# `scopes` see all; the others what their lines took part in.
SEEN_BY = f"""
    select unnest(%(scopes)s::int[])
     union
    select held.scope
      from unnest(%(held_scopes)s::int[], %(held_addresses)s::text[], %(held_from)s::timestamptz[],
                  %(held_until)s::timestamptz[]) as held (scope, address, held_from, held_until)
      join journal_parties as party on party.address = held.address
     where party.tenant = it.tenant and party.call_id = it.call_id and party.own and {IN_TENURE}
"""
CHANGES = f"""
    select changed.feed, seen.by, {COLUMNS}
      from journal_feed as changed
     cross join lateral (
        select * from journal
         where journal.tenant = changed.tenant and journal.call_id = changed.call_id
        offset 0) as journal
     cross join lateral (select journal.*) as it
     cross join lateral (select array({SEEN_BY}) as by offset 0) as seen
     where changed.tenant = %(tenant)s and changed.feed > %(after)s and changed.feed <= %(upto)s
       and seen.by <> '{{{{}}}}' and {{conditions}}
     order by changed.feed
"""
Key = tuple[str, str]
"""A company and the id of one of its calls."""


class Change(NamedTuple):
    """A row, its number in the feed, and which of the scopes that were asked for see it."""

    feed: int
    seen_by: Sequence[int]
    row: Row


def number(conn: Connection[Any], changed: Collection[Key]) -> set[str]:
    """Give each call that has changed the next number of its company's feed; last of all, for the sake of its lock."""
    if changed:
        rows = [{"tenant": tenant, "call_id": call_id} for tenant, call_id in changed]
        conn.execute(NUMBER_CHANGES, {"changed": as_rows(rows)})
    return {tenant for tenant, _ in changed}


def last(conn: Connection[Any], tenants: Collection[str]) -> dict[str, int]:
    """The number of each tenant's last change; none for a tenant without calls."""
    return dict(conn.execute(LAST, {"tenants": list(tenants)}))


def reach(conn: Connection[Any], tenant: str, after: int, upto: int) -> int:
    """How far to look at once: not beyond `upto`, nor beyond the next MOST changes."""
    values = {"tenant": tenant, "after": after, "last": upto, "most": MOST}
    (found,) = conn.execute(REACH, values).fetchone() or (None,)
    return upto if found is None else int(found)


def changes(
    conn: Connection[Any], scopes: Sequence[Scope], filters: Filters, after: int, upto: int
) -> Sequence[Change]:
    """What has changed in (after, upto] of the scopes' one tenant and fits the filters, as it is now."""
    tenant = scopes[0].tenant
    assert all(scope.tenant == tenant for scope in scopes)
    needed, asked = _needed(filters), sql_conditions.filter_parameters(filters)
    if sql_conditions.shows_nothing(asked, needed):
        return []
    query = CHANGES.format(conditions=sql_conditions.fitting(asked, IN_LIVE, sql_conditions.probes(needed)))
    values = {"tenant": tenant, "after": after, "upto": upto} | asked | sql_conditions.values_of(needed) | _held(scopes)
    return [Change(feed, seen_by, Row._make(row)) for feed, seen_by, *row in conn.execute(query, values)]


def _needed(filters: Filters) -> list[Among]:
    """As for a page but for the scope; a text is looked for in each call, whose addresses may be new ones."""
    found = [participants.of_party(filters.party)] if filters.party is not None else []
    found += [participants.of_lines("account", filters.lines)] if filters.lines is not None else []
    found += [Among(name="text", holdings=None, sought=filters.text)] if filters.text is not None else []
    return found


def _held(scopes: Sequence[Scope]) -> dict[str, Any]:
    held = [(number, line) for number, scope in enumerate(scopes) for line in scope.lines or ()]
    return {
        "scopes": [number for number, scope in enumerate(scopes) if scope.lines is None],
        "held_scopes": [number for number, _ in held],
        "held_addresses": [line.address for _, line in held],
        "held_from": [line.held_from for _, line in held],
        "held_until": [line.held_until for _, line in held],
    }
