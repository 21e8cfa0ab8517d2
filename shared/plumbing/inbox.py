"""Have we heard this before? Asked and answered in the handler's own transaction."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.plumbing.database import Connection

REMEMBER = """
    insert into inbox (consumer, message_id, digest)
    select %(consumer)s, message_id, digest
      from unnest(%(ids)s::text[], %(digests)s::bytea[]) as heard (message_id, digest)
     order by message_id
        on conflict do nothing
    returning message_id
"""
DIFFERENT = """
    select message_id
      from inbox
      join unnest(%(ids)s::text[], %(digests)s::bytea[]) as heard (message_id, digest) using (message_id)
     where inbox.consumer = %(consumer)s and inbox.digest <> heard.digest
"""


class Heard(NamedTuple):
    """`first`: ids never heard before. `different`: ids heard before with another content."""

    first: set[str]
    different: set[str]


def remember(conn: Connection, consumer: str, messages: Mapping[str, bytes]) -> Heard:
    """Note messages by id, each with the digest of its content."""
    heard = {"consumer": consumer, "ids": list(messages), "digests": list(messages.values())}
    first = {message_id for (message_id,) in conn.execute(REMEMBER, heard)}
    if len(first) == len(messages):
        return Heard(first, set())
    return Heard(first, {message_id for (message_id,) in conn.execute(DIFFERENT, heard)})
