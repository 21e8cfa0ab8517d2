"""How many calls there are of each kind, in a scope: counted by Postgres, each call once."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.domain.summary import Count
from services.gateway.journal import page_query, participants, sql_conditions
from services.gateway.journal.page_query import CALLS_FOUND, FOUND_BY_TEXT
from services.gateway.journal.participants import Among
from services.gateway.journal.sql_conditions import IN_LIVE, IN_PARTIES, LIVE, LIVE_PHASES, OWN, fitting, probes

PATIENCE = "set local statement_timeout = '5s'"
NEW_PLAN = page_query.NEW_PLAN
OF_ALL = """
    select it.direction, it.status, it.talk_time
      from journal as it
     where it.tenant = %(tenant)s and {conditions}
"""
OF_PARTIES = """
    select distinct it.call_id, it.direction, it.status, it.talk_time
      from {among}
      join journal_parties as it on it.tenant = %(tenant)s and it.address = held.address
     where {conditions}
"""
OF_CALLS = f"""
    select it.call_id, it.direction, it.status, it.talk_time
      from {CALLS_FOUND}
     where {{conditions}}
"""
COUNTS = """
    select direction, status, count(*), coalesce(extract(epoch from sum(talk_time)), 0)
      from ({calls}) as it
     group by direction, status
"""
OF_EACH_PARTY = IN_PARTIES | {"statuses": IN_LIVE["statuses"]}


def counts(conn: Connection[Any], scope: Scope, filters: Filters) -> list[Count]:
    """Of each direction and status that there is, within a transaction: how long it may take is set for that."""
    conn.execute(PATIENCE)
    needed, asked = participants.needed(conn, scope, filters), sql_conditions.filter_parameters(filters)
    if sql_conditions.shows_nothing(asked, needed):
        return []
    if filters.text:
        conn.execute(NEW_PLAN)
    query = COUNTS.format(calls=_calls(conn, scope.tenant, asked, needed))
    values = {"tenant": scope.tenant} | asked | sql_conditions.values_of(needed)
    return [Count(*row) for row in conn.execute(query, values)]


def _calls(conn: Connection[Any], tenant: str, asked: Mapping[str, Any], needed: Sequence[Among]) -> str:
    if asked.get("phases") and LIVE_PHASES.issuperset(asked["phases"]):
        return OF_ALL.format(conditions=fitting(asked, IN_LIVE, [LIVE, *probes(needed)]))
    if found := page_query.found_by_few(conn, tenant, asked):
        return OF_CALLS.format(found=found, conditions=fitting(asked, IN_LIVE, probes(needed)))
    first = participants.first_of(conn, tenant, needed)
    if first is None:
        return OF_ALL.format(conditions=fitting(asked, IN_LIVE, probes(needed)))
    own = [OWN] if first.own else []
    others = probes(among for among in needed if among is not first)
    fits = fitting(asked, OF_EACH_PARTY, [participants.IN_TENURE, *own, *others])
    of_parties = OF_PARTIES.format(among=first.held, conditions=fits)
    if not first.calls:
        return of_parties
    of_calls = OF_CALLS.format(found=FOUND_BY_TEXT, conditions=fitting(asked, IN_LIVE, others))
    return f"({of_parties}) union ({of_calls})"
