"""Read comments from their rows and streams."""

from uuid import UUID

from psycopg.rows import dict_row

from shared.contracts.wire import Json
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

AUTHOR = "data ->> 'author_id'"
OCCURRED_AT = "coalesce(data ->> 'added_at', data ->> 'edited_at', data ->> 'deleted_at')::timestamptz"

GET = "select version, state from comments where tenant = %(tenant)s and call_id = %(call_id)s"
HISTORY = f"""
    select version, split_part(type, '_', 2) as action, data ->> 'text' as text, {AUTHOR} as author_id,
           {OCCURRED_AT} as at
      from events
     where stream = %(stream)s and tenant = %(tenant)s
     order by version
"""
TIMELINE = TimelineQuery("comments", "comment", at=OCCURRED_AT, by=AUTHOR)


def get(conn: Connection, tenant: str, call_id: UUID) -> Json | None:
    """`{"version": 3, "state": {…}}`; None if the call never had a comment."""
    row = conn.execute(GET, {"tenant": tenant, "call_id": call_id}).fetchone()
    return {"version": row[0], "state": row[1]} if row else None


def history(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every version of the comment, oldest first; `text` is None where it was deleted."""
    rows = conn.cursor(row_factory=dict_row).execute(HISTORY, {"stream": f"comment-{call_id}", "tenant": tenant})
    return rows.fetchall()


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every event of the comment, oldest first; `by` is the account that caused it."""
    return TIMELINE.read(conn, tenant, call_id)
