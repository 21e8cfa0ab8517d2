"""Recognise repeated messages, in the handler's transaction."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.plumbing.database import Connection

INSERT_NEW = """
    insert into inbox (consumer, message_id, digest)
    select %(consumer)s, message_id, digest
      from unnest(%(ids)s::text[], %(digests)s::bytea[]) as received (message_id, digest)
     order by message_id
        on conflict do nothing
    returning message_id
"""
SELECT_CONFLICTING = """
    select message_id
      from inbox
      join unnest(%(ids)s::text[], %(digests)s::bytea[]) as received (message_id, digest) using (message_id)
     where inbox.consumer = %(consumer)s and inbox.digest <> received.digest
"""


class Inbox(NamedTuple):
    """`new`: ids received for the first time. `conflicting`: ids received earlier with another content."""

    new: set[str]
    conflicting: set[str]


def record(conn: Connection, consumer: str, messages: Mapping[str, bytes]) -> Inbox:
    """Record messages: ids with digests of their contents."""
    parameters = {"consumer": consumer, "ids": list(messages), "digests": list(messages.values())}
    new = {message_id for (message_id,) in conn.execute(INSERT_NEW, parameters)}
    if len(new) == len(messages):
        return Inbox(new, set())
    return Inbox(new, {message_id for (message_id,) in conn.execute(SELECT_CONFLICTING, parameters)})
