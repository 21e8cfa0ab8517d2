"""The recordings as they are now, written in the transaction of the events that changed them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.recordings.domain.recording import Recording
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import instant
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

KEEP_RECORDINGS = """
    insert into recordings (call_id, tenant, version, state, available, object_id, peaks, stored_at)
    select * from json_to_recordset(%(rows)s) as recording (
        call_id uuid, tenant text, version int, state jsonb, available boolean, object_id uuid, peaks smallint[],
        stored_at timestamptz)
        on conflict (call_id) do update
       set version = excluded.version, state = excluded.state, available = excluded.available
     where recordings.version < excluded.version
"""
KEEP_SETTINGS = """
    insert into settings (tenant, version, retention_days)
    select * from json_to_recordset(%(rows)s) as said (tenant text, version int, retention_days int)
        on conflict (tenant) do update
       set version = excluded.version, retention_days = excluded.retention_days
     where settings.version < excluded.version
"""


def keep_recordings(conn: Connection, changes: Sequence[Changed]) -> None:
    """Show changed recordings as they are; an older version never replaces a newer one."""
    if changes:
        conn.execute(KEEP_RECORDINGS, {"rows": as_rows([row(change) for change in changes])})


def keep_settings(conn: Connection, said: Mapping[str, tuple[int, SettingsChanged]]) -> None:
    """What companies have set, each with its version; an older one never replaces a newer one."""
    rows = [
        {"tenant": tenant, "version": version, "retention_days": settings.retention_days}
        for tenant, (version, settings) in sorted(said.items())
    ]
    conn.execute(KEEP_SETTINGS, {"rows": as_rows(rows)})


def row(change: Changed) -> dict[str, Any]:
    """What of a recording's row follows from its stream: all of it."""
    recording: Recording = change.after
    stored = recording.stored
    assert stored is not None, "nothing happens to a recording before it is stored"
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
