"""Count the calls of each direction and status within a scope. Postgres counts each call once."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from services.gateway.domain.filters import Filters
from services.gateway.domain.scope import Scope
from services.gateway.domain.summary import Count
from services.gateway.journal import page_query, participants, sql_conditions
from services.gateway.journal.page_query import CALLS_WITH_TEXT, JOIN_LISTED_CALLS
from services.gateway.journal.participants import ParticipantCondition
from services.gateway.journal.sql_conditions import (
    IS_LIVE,
    IS_OWN,
    LIVE_CONDITIONS,
    LIVE_PHASES,
    PARTY_CONDITIONS,
    participant_clauses,
    where_clause,
)

SUMMARY_STATEMENT_TIMEOUT = "set local statement_timeout = '5s'"
FORCE_CUSTOM_PLAN = page_query.FORCE_CUSTOM_PLAN
ALL_CALLS = """
    select it.direction, it.status, it.talk_time
      from journal as it
     where it.tenant = %(tenant)s and {conditions}
"""
CALLS_OF_PARTICIPANTS = """
    select distinct it.call_id, it.direction, it.status, it.talk_time
      from {condition}
      join journal_parties as it on it.tenant = %(tenant)s and it.address = held.address
     where {conditions}
"""
LISTED_CALLS = f"""
    select it.call_id, it.direction, it.status, it.talk_time
      from {JOIN_LISTED_CALLS}
     where {{conditions}}
"""
COUNTS = """
    select direction, status, count(*), coalesce(extract(epoch from sum(talk_time)), 0)
      from ({calls}) as it
     group by direction, status
"""
DISTINCT_PARTY_CONDITIONS = PARTY_CONDITIONS | {"statuses": LIVE_CONDITIONS["statuses"]}


def count_calls(conn: Connection[Any], scope: Scope, filters: Filters) -> list[Count]:
    """The counts by direction and status. Call it within a transaction: it sets the transaction's timeout."""
    conn.execute(SUMMARY_STATEMENT_TIMEOUT)
    needed, parameters = (
        participants.participant_conditions(conn, scope, filters),
        sql_conditions.filter_parameters(filters),
    )
    if sql_conditions.matches_nothing(parameters, needed):
        return []
    if filters.text:
        conn.execute(FORCE_CUSTOM_PLAN)
    query = COUNTS.format(calls=_calls(conn, scope.tenant, parameters, needed))
    values = {"tenant": scope.tenant} | parameters | sql_conditions.participant_parameters(needed)
    return [Count(*row) for row in conn.execute(query, values)]


def _calls(
    conn: Connection[Any], tenant: str, parameters: Mapping[str, Any], needed: Sequence[ParticipantCondition]
) -> str:
    if parameters.get("phases") and LIVE_PHASES.issuperset(parameters["phases"]):
        return ALL_CALLS.format(
            conditions=where_clause(parameters, LIVE_CONDITIONS, [IS_LIVE, *participant_clauses(needed)])
        )
    if source := page_query.few_calls_with_detail(conn, tenant, parameters):
        return LISTED_CALLS.format(
            source=source, conditions=where_clause(parameters, LIVE_CONDITIONS, participant_clauses(needed))
        )
    first = participants.most_selective(conn, tenant, needed)
    if first is None:
        return ALL_CALLS.format(conditions=where_clause(parameters, LIVE_CONDITIONS, participant_clauses(needed)))
    own = [IS_OWN] if first.own else []
    extra_clauses = participant_clauses(condition for condition in needed if condition is not first)
    conditions = where_clause(parameters, DISTINCT_PARTY_CONDITIONS, [participants.IN_TENURE, *own, *extra_clauses])
    calls_of_participants = CALLS_OF_PARTICIPANTS.format(condition=first.tenures_sql, conditions=conditions)
    if not first.calls:
        return calls_of_participants
    listed_calls = LISTED_CALLS.format(
        source=CALLS_WITH_TEXT, conditions=where_clause(parameters, LIVE_CONDITIONS, extra_clauses)
    )
    return f"({calls_of_participants}) union ({listed_calls})"
