"""Read calls from their rows and streams."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.calls.domain.returns import CallBack, MissedCall, Windows
from shared.contracts.errors import NotFound
from shared.contracts.wire import Json
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

EVENT_ORDER = [
    "call_placed",
    "call_connecting",
    "party_offline",
    "party_rang",
    "call_answered",
    "call_forwarded",
    "call_refused",
    "call_recorded",
    "call_ended",
]
"""The order of events with the same time. Events that the service adds itself come last."""
Number = tuple[str, str]
"""A tenant and a number."""

TIMELINE = TimelineQuery(
    "calls",
    "call",
    at="coalesce((data ->> 'at')::timestamptz, recorded_at)",
    order="at, array_position(%(types)s::text[], type), data ->> 'report_id', version",
    parameters={"types": EVENT_ORDER},
)
STALE = """
    select tenant, call_id
      from calls
     where phase <> 'ended' and reported_at < %(reported_before)s
     order by reported_at
     limit %(limit)s
"""
MISSED_CALLS = """
    select distinct missed.tenant, missed.caller, missed.call_id, missed.ended_at, missed.returned_by
      from calls as missed
      join unnest(%(tenant)s::text[], %(number)s::text[], %(ended_from)s::timestamptz[], %(ended_to)s::timestamptz[])
           as due (tenant, number, ended_from, ended_to)
        on missed.tenant = due.tenant and missed.caller = due.number
       and missed.ended_at between due.ended_from and due.ended_to
     where missed.status in ('missed', 'missed_offline', 'returned')
"""
CALL_BACKS = """
    select distinct reached.tenant, reached.callee, reached.call_id, reached.answered_at
      from calls as reached
      join unnest(%(tenant)s::text[], %(number)s::text[], %(ended_from)s::timestamptz[], %(ended_to)s::timestamptz[],
                  %(window)s::interval[])
           as due (tenant, number, ended_from, ended_to, within)
        on reached.tenant = due.tenant and reached.callee = due.number
       and reached.answered_at between due.ended_from and due.ended_to + due.within
     where reached.direction = 'outbound'
"""
WINDOWS = "select tenant, returned_window from settings where returned_window is not null"


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every event of the call in the order in which things happened. Raises NotFound."""
    events = TIMELINE.read(conn, tenant, call_id)
    if not events:
        raise NotFound
    return events


def stale_calls(conn: Connection, reported_before: datetime, limit: int) -> list[tuple[str, UUID]]:
    """Live calls whose last report is older: `(tenant, call id)`."""
    return conn.execute(STALE, {"reported_before": reported_before, "limit": limit}).fetchall()


def missed_calls(conn: Connection, pending: Mapping[str, list[Any]]) -> list[tuple[Number, MissedCall]]:
    """Missed calls of the pending numbers in their intervals; `pending` holds columns."""
    return [((tenant, number), MissedCall(*call)) for tenant, number, *call in conn.execute(MISSED_CALLS, pending)]


def call_backs(conn: Connection, pending: Mapping[str, list[Any]]) -> list[tuple[Number, CallBack]]:
    """Answered outbound calls that may have returned the missed calls, within the `window` of each row."""
    rows = conn.execute(CALL_BACKS, pending)
    return [((tenant, number), CallBack(*call)) for tenant, number, *call in rows]


def windows(conn: Connection, default: timedelta) -> Windows:
    """How long a call-back counts, by the settings of each company."""
    return Windows(default, dict(conn.execute(WINDOWS).fetchall()))
