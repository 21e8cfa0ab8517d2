"""The current state of calls, written in the transaction of the events that changed them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import instant
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

SAVE_CALLS = """
    insert into calls (call_id, tenant, version, state, direction, status, phase, caller, callee,
                       answered_at, ended_at, returned_by, reported_at)
    select * from json_to_recordset(%(rows)s) as call (
        call_id uuid, tenant text, version int, state jsonb, direction text, status text, phase text, caller text,
        callee text, answered_at timestamptz, ended_at timestamptz, returned_by uuid, reported_at timestamptz)
        on conflict (call_id) do update
       set version = excluded.version, state = excluded.state, direction = excluded.direction,
           status = excluded.status, phase = excluded.phase, caller = excluded.caller, callee = excluded.callee,
           answered_at = excluded.answered_at, ended_at = excluded.ended_at, returned_by = excluded.returned_by,
           reported_at = excluded.reported_at
     where calls.version < excluded.version
"""
SAVE_SETTINGS = """
    insert into settings (tenant, version, returned_window)
    select tenant, version, make_interval(hours => returned_window_hours)
      from json_to_recordset(%(rows)s) as setting (tenant text, version int, returned_window_hours int)
        on conflict (tenant) do update
       set version = excluded.version, returned_window = excluded.returned_window
     where settings.version < excluded.version
"""
STATE_COLUMNS = (
    "call_id",
    "direction",
    "status",
    "phase",
    "caller",
    "callee",
    "answered_at",
    "ended_at",
    "returned_by",
)


def save_calls(conn: Connection, changes: Sequence[Changed], reported_at: datetime) -> None:
    """Save changed calls; an older version never replaces a newer one."""
    if changes:
        times = {"reported_at": instant(reported_at)}
        conn.execute(SAVE_CALLS, {"rows": as_rows([row(change) | times for change in changes])})


def save_settings(conn: Connection, newest: Mapping[str, tuple[int, SettingsChanged]]) -> None:
    """Save the settings of companies, each with its version; an older version never replaces a newer one."""
    rows = [
        {"tenant": tenant, "version": version, "returned_window_hours": settings.returned_window_hours}
        for tenant, (version, settings) in sorted(newest.items())
    ]
    conn.execute(SAVE_SETTINGS, {"rows": as_rows(rows)})


def row(change: Changed) -> dict[str, Any]:
    """The columns of a call that follow from its stream."""
    columns = {name: change.published[name] for name in STATE_COLUMNS}
    return columns | {"tenant": change.tenant, "version": change.version, "state": change.published}
