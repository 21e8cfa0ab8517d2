"""The calls as they are now, written in the transaction of the events that changed them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.contracts.gateway.events import SettingsChanged
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
KEEP_SETTINGS = """
    insert into settings (tenant, version, returned_window)
    select tenant, version, make_interval(hours => returned_window_hours)
      from json_to_recordset(%(rows)s) as said (tenant text, version int, returned_window_hours int)
        on conflict (tenant) do update
       set version = excluded.version, returned_window = excluded.returned_window
     where settings.version < excluded.version
"""
SHOWN = ("call_id", "direction", "status", "phase", "caller", "callee", "answered_at", "ended_at", "returned_by")


def keep_calls(conn: Connection, changes: Sequence[Changed], heard_at: datetime) -> None:
    """Show changed calls as they are; an older version never replaces a newer one."""
    if changes:
        heard = {"heard_at": instant(heard_at)}
        conn.execute(KEEP_CALLS, {"rows": as_rows([row(change) | heard for change in changes])})


def keep_settings(conn: Connection, said: Mapping[str, tuple[int, SettingsChanged]]) -> None:
    """What companies have set, each with its version; an older one never replaces a newer one."""
    rows = [
        {"tenant": tenant, "version": version, "returned_window_hours": settings.returned_window_hours}
        for tenant, (version, settings) in sorted(said.items())
    ]
    conn.execute(KEEP_SETTINGS, {"rows": as_rows(rows)})


def row(change: Changed) -> dict[str, Any]:
    """What of a call's row follows from its stream."""
    shown = {name: change.published[name] for name in SHOWN}
    return shown | {"tenant": change.tenant, "version": change.version, "state": change.published}
