"""What comments reads of its own rows and streams."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.contracts.wire import Json
from shared.plumbing.database import Connection

AUTHOR = "data ->> 'author_id'"
HAPPENED = "coalesce(data ->> 'added_at', data ->> 'edited_at', data ->> 'deleted_at')::timestamptz"

GET = "select version, state from comments where tenant = %(tenant)s and call_id = %(call_id)s"
HISTORY = f"""
    select version, split_part(type, '_', 2), data ->> 'text', {AUTHOR}, {HAPPENED}
      from events
     where stream = %(stream)s and tenant = %(tenant)s
     order by version
"""
TIMELINE = f"""
    select type, {HAPPENED}, recorded_at, data, {AUTHOR}
      from events
     where stream = %(stream)s and tenant = %(tenant)s
     order by version
"""
OF_TENANT = """
    select call_id
      from comments
     where tenant = %(tenant)s and call_id > coalesce(%(after)s, '00000000-0000-0000-0000-000000000000'::uuid)
     order by call_id
     limit %(limit)s
"""


def get(conn: Connection, tenant: str, call_id: UUID) -> Json | None:
    """`{"version": 3, "state": {…}}`; None where there never was a comment."""
    row = conn.execute(GET, {"tenant": tenant, "call_id": call_id}).fetchone()
    return {"version": row[0], "state": row[1]} if row else None


def history(conn: Connection, tenant: str, call_id: UUID) -> list[dict[str, Any]]:
    """Every version of the comment, oldest first; `text` is None where it was deleted."""
    names = ("version", "action", "text", "author_id", "at")
    return [dict(zip(names, row, strict=True)) for row in _of_stream(conn, HISTORY, tenant, call_id)]


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[dict[str, Any]]:
    """Every event of the comment, oldest first; `by` is the account that brought it about."""
    names = ("type", "at", "recorded_at", "data", "by")
    return [dict(zip(names, row, strict=True)) for row in _of_stream(conn, TIMELINE, tenant, call_id)]


def of_tenant(conn: Connection, tenant: str, after: UUID | None, limit: int) -> Sequence[UUID]:
    """The ids of the tenant's calls that have or had a comment, after one of them, in their order."""
    wanted = {"tenant": tenant, "after": after, "limit": limit}
    return [call_id for (call_id,) in conn.execute(OF_TENANT, wanted)]


def _of_stream(conn: Connection, query: str, tenant: str, call_id: UUID) -> list[tuple[Any, ...]]:
    return conn.execute(query, {"stream": f"comment-{call_id}", "tenant": tenant}).fetchall()
