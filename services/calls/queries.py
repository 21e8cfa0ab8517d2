"""What calls reads of its own rows and streams."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.calls.domain.returns import CallBack, MissedCall, Windows
from shared.contracts.errors import NotFound
from shared.contracts.wire import Json
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

LIFE = [
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
"""The order of what happens in one instant; what calls says of its own accord comes last."""
Number = tuple[str, str]
"""A tenant and a number."""

TIMELINE = TimelineQuery(
    "calls",
    "call",
    at="coalesce((data ->> 'at')::timestamptz, recorded_at)",
    order="at, array_position(%(types)s::text[], type), data ->> 'report_id', version",
    parameters={"types": LIFE},
)
SILENT = """
    select tenant, call_id
      from calls
     where phase <> 'ended' and heard_at < %(silent_since)s
     order by heard_at
     limit %(most)s
"""
MISSED = """
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


def silent(conn: Connection, silent_since: datetime, most: int) -> list[tuple[str, UUID]]:
    """Live calls, with their tenants, that nobody has reported on since."""
    return conn.execute(SILENT, {"silent_since": silent_since, "most": most}).fetchall()


def missed(conn: Connection, due: Mapping[str, list[Any]]) -> list[tuple[Number, MissedCall]]:
    """The missed calls of the numbers due, in the spans of time due; `due` holds columns."""
    return [((tenant, number), MissedCall(*call)) for tenant, number, *call in conn.execute(MISSED, due)]


def call_backs(conn: Connection, due: Mapping[str, list[Any]]) -> list[tuple[Number, CallBack]]:
    """The answered outbound calls that may have returned what `missed` finds, each within the `window` of its row."""
    rows = conn.execute(CALL_BACKS, due)
    return [((tenant, number), CallBack(*call)) for tenant, number, *call in rows]


def windows(conn: Connection, default: timedelta) -> Windows:
    """How long a call-back counts, by what companies have set."""
    return Windows(default, dict(conn.execute(WINDOWS).fetchall()))
