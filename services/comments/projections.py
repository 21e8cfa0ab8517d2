"""The comments as they are now, written in the transaction of the events that changed them."""

from collections.abc import Sequence
from typing import Any

from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

KEEP_COMMENTS = """
    insert into comments (call_id, tenant, version, state)
    select * from json_to_recordset(%(rows)s) as comment (call_id uuid, tenant text, version int, state jsonb)
        on conflict (call_id) do update set version = excluded.version, state = excluded.state
     where comments.version < excluded.version
"""


def keep_comments(conn: Connection, changes: Sequence[Changed]) -> None:
    """Show changed comments as they are; an older version never replaces a newer one."""
    if changes:
        conn.execute(KEEP_COMMENTS, {"rows": as_rows([row(change) for change in changes])})


def row(change: Changed) -> dict[str, Any]:
    """What of a comment's row follows from its stream: all of it."""
    return {
        "call_id": change.published["call_id"],
        "tenant": change.tenant,
        "version": change.version,
        "state": change.published,
    }
