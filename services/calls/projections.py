"""The calls as they are now, written in the transaction of the events that changed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed

KEEP_CALLS = """
    insert into calls (call_id, tenant, version, state, direction, status, phase, caller, callee,
                       answered_at, ended_at, returned_by, heard_at)
    select * from unnest(%(call_id)s::uuid[], %(tenant)s::text[], %(version)s::int[], %(state)s::jsonb[],
                         %(direction)s::text[], %(status)s::text[], %(phase)s::text[], %(caller)s::text[],
                         %(callee)s::text[], %(answered_at)s::timestamptz[], %(ended_at)s::timestamptz[],
                         %(returned_by)s::uuid[], %(heard_at)s::timestamptz[])
        on conflict (call_id) do update
       set version = excluded.version, state = excluded.state, direction = excluded.direction,
           status = excluded.status, phase = excluded.phase, caller = excluded.caller, callee = excluded.callee,
           answered_at = excluded.answered_at, ended_at = excluded.ended_at, returned_by = excluded.returned_by,
           heard_at = excluded.heard_at
     where calls.version < excluded.version
"""
SHOWN = ("call_id", "direction", "status", "phase", "caller", "callee", "answered_at", "ended_at", "returned_by")


def keep_calls(conn: Connection, changes: Sequence[Changed], heard_at: datetime) -> None:
    """Show changed calls as they are; an older version never replaces a newer one."""
    if changes:
        rows = [_row(change, heard_at) for change in changes]
        conn.execute(KEEP_CALLS, {name: [row[name] for row in rows] for name in rows[0]})


def _row(change: Changed, heard_at: datetime) -> dict[str, Any]:
    shown = {name: change.published[name] for name in SHOWN}
    return shown | {
        "tenant": change.tenant,
        "version": change.version,
        "state": Jsonb(change.published),
        "heard_at": heard_at,
    }
