"""The current state of comments, written in the transaction of the events that changed them."""

from collections.abc import Sequence
from typing import Any

from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

SAVE_COMMENTS = """
    insert into comments (call_id, tenant, version, state)
    select * from json_to_recordset(%(rows)s) as comment (call_id uuid, tenant text, version int, state jsonb)
        on conflict (call_id) do update set version = excluded.version, state = excluded.state
     where comments.version < excluded.version
"""


def save_comments(conn: Connection, changes: Sequence[Changed]) -> None:
    """Save changed comments; an older version never replaces a newer one."""
    if changes:
        conn.execute(SAVE_COMMENTS, {"rows": as_rows([row(change) for change in changes])})


def row(change: Changed) -> dict[str, Any]:
    """The row of a comment after a change."""
    return {
        "call_id": change.published["call_id"],
        "tenant": change.tenant,
        "version": change.version,
        "state": change.published,
    }
