"""A command sent twice is carried out once, and both senders get the same answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from shared.plumbing.database import Connection

CLAIM = "insert into commands (command_id) values (%(command_id)s) on conflict do nothing"
KEEP = "update commands set result = %(result)s where command_id = %(command_id)s"
RECALL = "select result from commands where command_id = %(command_id)s"


def once(conn: Connection, command_id: UUID, work: Callable[[], Any]) -> Any:
    """The result of `work`, done at most once per `command_id`, in this transaction.

    A second sender waits for the first one's commit. What `work` raises is not kept: the command
    may be sent again.
    """
    if conn.execute(CLAIM, {"command_id": command_id}).rowcount:
        result = work()
        conn.execute(KEEP, {"command_id": command_id, "result": Jsonb(result)})
        return result
    row = conn.execute(RECALL, {"command_id": command_id}).fetchone()
    return row[0] if row else None
