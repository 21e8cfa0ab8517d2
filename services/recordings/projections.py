"""The current state of recordings, written in the transaction of the events that changed them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.recordings.domain.recording import Recording
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import instant
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

SAVE_RECORDINGS = """
    insert into recordings (call_id, tenant, version, state, available, object_id, peaks, stored_at)
    select * from json_to_recordset(%(rows)s) as recording (
        call_id uuid, tenant text, version int, state jsonb, available boolean, object_id uuid, peaks smallint[],
        stored_at timestamptz)
        on conflict (call_id) do update
       set version = excluded.version, state = excluded.state, available = excluded.available
     where recordings.version < excluded.version
"""
SAVE_SETTINGS = """
    insert into settings (tenant, version, retention_days)
    select * from json_to_recordset(%(rows)s) as setting (tenant text, version int, retention_days int)
        on conflict (tenant) do update
       set version = excluded.version, retention_days = excluded.retention_days
     where settings.version < excluded.version
"""


def save_recordings(conn: Connection, changes: Sequence[Changed]) -> None:
    """Save changed recordings; an older version never replaces a newer one."""
    if changes:
        conn.execute(SAVE_RECORDINGS, {"rows": as_rows([row(change) for change in changes])})


def save_settings(conn: Connection, newest: Mapping[str, tuple[int, SettingsChanged]]) -> None:
    """Save the settings of companies, each with its version; an older version never replaces a newer one."""
    rows = [
        {"tenant": tenant, "version": version, "retention_days": settings.retention_days}
        for tenant, (version, settings) in sorted(newest.items())
    ]
    conn.execute(SAVE_SETTINGS, {"rows": as_rows(rows)})


def row(change: Changed) -> dict[str, Any]:
    """The row of a recording after a change."""
    recording: Recording = change.after
    stored = recording.stored
    assert stored is not None, "the first event of a recording is recording_stored"
    return {
        "call_id": str(stored.call_id),
        "tenant": change.tenant,
        "version": change.version,
        "state": change.published,
        "available": recording.available,
        "object_id": str(stored.object_id),
        "peaks": stored.peaks,
        "stored_at": instant(stored.stored_at),
    }
