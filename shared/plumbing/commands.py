"""Carry out a command once, and give every sender of it the same result."""

from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from shared.plumbing.database import Connection

CLAIM = "insert into commands (command_id) values (%(command_id)s) on conflict do nothing"
STORE_RESULT = "update commands set result = %(result)s where command_id = %(command_id)s"
READ_RESULT = "select result from commands where command_id = %(command_id)s"

T = TypeVar("T")


def once(conn: Connection, command_id: UUID, work: Callable[[], T]) -> T:
    """The result of `work`, which is JSON, done at most once per `command_id`, in this transaction.

    A second sender waits until the first one commits. If `work` raises, nothing is stored and the command can be
    sent again.
    """
    if conn.execute(CLAIM, {"command_id": command_id}).rowcount:
        result = work()
        conn.execute(STORE_RESULT, {"command_id": command_id, "result": Jsonb(result)})
        return result
    row = conn.execute(READ_RESULT, {"command_id": command_id}).fetchone()
    return cast(T, row[0] if row else None)
