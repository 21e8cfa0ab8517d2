"""What calls reads of its own rows and streams."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.calls.domain.returns import CallBack, MissedCall, Windows
from shared.contracts.errors import NotFound
from shared.contracts.wire import Json
from shared.plumbing.database import Connection

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

GET = "select state from calls where tenant = %(tenant)s and call_id = %(call_id)s"
TIMELINE = """
    select type, coalesce((data ->> 'at')::timestamptz, recorded_at) as at, recorded_at, data
      from events
     where stream = %(stream)s and tenant = %(tenant)s
     order by at, array_position(%(life)s::text[], type), data ->> 'report_id', version
"""
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
OF_TENANT = """
    select call_id
      from calls
     where tenant = %(tenant)s and (%(after)s::uuid is null or call_id > %(after)s)
     order by call_id
     limit %(limit)s
"""


def get(conn: Connection, tenant: str, call_id: UUID) -> Json:
    """The call's state. Raises NotFound."""
    row = conn.execute(GET, {"tenant": tenant, "call_id": call_id}).fetchone()
    if row is None:
        raise NotFound
    state: Json = row[0]
    return state


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[dict[str, Any]]:
    """Every event of the call in the order in which things happened. Raises NotFound."""
    rows = conn.execute(TIMELINE, {"tenant": tenant, "stream": f"call-{call_id}", "life": LIFE}).fetchall()
    if not rows:
        raise NotFound
    return [
        {"type": type_, "at": at, "recorded_at": recorded_at, "data": data, "by": None}
        for type_, at, recorded_at, data in rows
    ]


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


def of_tenant(conn: Connection, tenant: str, after: UUID | None, limit: int) -> Sequence[UUID]:
    """The tenant's call ids after one of them, in their order."""
    wanted = {"tenant": tenant, "after": after, "limit": limit}
    return [call_id for (call_id,) in conn.execute(OF_TENANT, wanted)]
