"""The calls as they are now, written in the transaction of the events that changed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.contracts.wire import instant
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

KEEP_CALLS = """
    insert into calls (call_id, tenant, version, state, direction, status, phase, caller, callee,
                       answered_at, ended_at, returned_by, heard_at)
    select * from json_to_recordset(%(rows)s) as call (
        call_id uuid, tenant text, version int, state jsonb, direction text, status text, phase text, caller text,
        callee text, answered_at timestamptz, ended_at timestamptz, returned_by uuid, heard_at timestamptz)
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
        conn.execute(KEEP_CALLS, {"rows": as_rows([_row(change, heard_at) for change in changes])})


def _row(change: Changed, heard_at: datetime) -> dict[str, Any]:
    shown = {name: change.published[name] for name in SHOWN}
    return shown | {
        "tenant": change.tenant,
        "version": change.version,
        "state": change.published,
        "heard_at": instant(heard_at),
    }
