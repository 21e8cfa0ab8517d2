"""Read recordings from their rows and streams."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.errors import NotFound
from shared.contracts.wire import Json
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

GET = "select version, state from recordings where tenant = %(tenant)s and call_id = %(call_id)s"
AVAILABLE = """
    select object_id, state
      from recordings
     where tenant = %(tenant)s and call_id = %(call_id)s and available
"""
# Every transaction locks the row before the stream, which excludes deadlocks.
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
EXPIRED = """
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
OBJECTS_IN_USE = "select object_id from recordings where available and object_id = any(%(object_ids)s)"


class AvailableRecording(NamedTuple):
    """The object to serve and the published state of its recording."""

    object_id: UUID
    state: Json


def get(conn: Connection, tenant: str, call_id: UUID) -> Json | None:
    """`{"version": 3, "state": {…}}`; None if the call never had a recording."""
    row = conn.execute(GET, {"tenant": tenant, "call_id": call_id}).fetchone()
    return {"version": row[0], "state": row[1]} if row else None


def get_available(conn: Connection, tenant: str, call_id: UUID) -> AvailableRecording:
    """Raises NotFound if the recording does not exist or is deleted."""
    return AvailableRecording._make(_fetch_one(conn, AVAILABLE, tenant, call_id))


def peaks(conn: Connection, tenant: str, call_id: UUID) -> list[int] | None:
    """The loudness of equal parts of the recording; None if it could not be computed. Raises NotFound."""
    peaks: list[int] | None = _fetch_one(conn, PEAKS, tenant, call_id)[0]
    return peaks


def lock(conn: Connection, tenant: str, call_id: UUID) -> None:
    """Lock the recording, if there is one, for a change. Raises NotFound for that of another company."""
    row = conn.execute(LOCK, {"call_id": call_id}).fetchone()
    if row and row[0] != tenant:
        raise NotFound


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every event of the recording, oldest first; `by` is the account that caused it."""
    return TIMELINE.read(conn, tenant, call_id)


def expired(conn: Connection, at: datetime, limit: int) -> list[tuple[str, UUID, UUID]]:
    """Lock recordings that are past their retention period: `(tenant, call id, object id)`; skip locked ones."""
    return conn.execute(EXPIRED, {"at": at, "limit": limit}).fetchall()


def objects_in_use(conn: Connection, object_ids: Iterable[UUID]) -> set[UUID]:
    """The objects that belong to an available recording."""
    return {object_id for (object_id,) in conn.execute(OBJECTS_IN_USE, {"object_ids": list(object_ids)})}


def _fetch_one(conn: Connection, query: str, tenant: str, call_id: UUID) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = conn.execute(query, {"tenant": tenant, "call_id": call_id}).fetchone()
    if row is None:
        raise NotFound
    return row
