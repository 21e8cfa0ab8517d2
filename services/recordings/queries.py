"""What recordings reads of its own rows and streams."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.errors import NotFound
from shared.contracts.wire import Json
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

GET = "select version, state from recordings where tenant = %(tenant)s and call_id = %(call_id)s"
SOUND = """
    select object_id, state
      from recordings
     where tenant = %(tenant)s and call_id = %(call_id)s and available
"""
# Rows are locked before their streams, whoever comes: nobody waits for the other in a circle.
LOCK = "select tenant from recordings where call_id = %(call_id)s for update"
PEAKS = "select peaks from recordings where tenant = %(tenant)s and call_id = %(call_id)s and available"
TIMELINE = TimelineQuery(
    "recordings",
    "recording",
    at="""
        coalesce(data ->> 'stored_at', data ->> 'deleted_at', data ->> 'listened_at',
                 data ->> 'downloaded_at')::timestamptz
    """,
    by="data ->> 'account_id'",
    data="data - 'peaks'",
)
KEPT_LONG_ENOUGH = """
    select recordings.tenant, recordings.call_id, recordings.object_id
      from settings
     cross join lateral (
        select *
          from recordings
         where recordings.tenant = settings.tenant and recordings.available
           and recordings.stored_at < %(at)s::timestamptz - make_interval(days => settings.retention_days)
         order by recordings.stored_at
         limit %(limit)s
           for update skip locked) as recordings
     where settings.retention_days is not null
     limit %(limit)s
"""
NEEDED = "select object_id from recordings where available and object_id = any(%(object_ids)s)"


class Sound(NamedTuple):
    """What is served: the object, and what its recording is said to be."""

    object_id: UUID
    state: Json


def get(conn: Connection, tenant: str, call_id: UUID) -> Json | None:
    """`{"version": 3, "state": {…}}`; None where there never was a recording."""
    row = conn.execute(GET, {"tenant": tenant, "call_id": call_id}).fetchone()
    return {"version": row[0], "state": row[1]} if row else None


def sound(conn: Connection, tenant: str, call_id: UUID) -> Sound:
    """Raises NotFound for a recording that is not there or is deleted."""
    return Sound._make(_one(conn, SOUND, tenant, call_id))


def peaks(conn: Connection, tenant: str, call_id: UUID) -> list[int] | None:
    """How loud each of as many equal parts is; None where nobody can tell. Raises NotFound."""
    found: list[int] | None = _one(conn, PEAKS, tenant, call_id)[0]
    return found


def lock(conn: Connection, tenant: str, call_id: UUID) -> None:
    """Be the only one to change the recording, if there is one. Raises NotFound for that of another company."""
    row = conn.execute(LOCK, {"call_id": call_id}).fetchone()
    if row and row[0] != tenant:
        raise NotFound


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every event of the recording, oldest first; `by` is the account that caused it."""
    return TIMELINE.read(conn, tenant, call_id)


def kept_long_enough(conn: Connection, at: datetime, limit: int) -> list[tuple[str, UUID, UUID]]:
    """Company, call and object of recordings that their company no longer wants kept, locked; not those others have."""
    return conn.execute(KEPT_LONG_ENOUGH, {"at": at, "limit": limit}).fetchall()


def needed(conn: Connection, object_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the objects that a recording is made of."""
    return {object_id for (object_id,) in conn.execute(NEEDED, {"object_ids": list(object_ids)})}


def _one(conn: Connection, query: str, tenant: str, call_id: UUID) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = conn.execute(query, {"tenant": tenant, "call_id": call_id}).fetchone()
    if row is None:
        raise NotFound
    return row
