"""The system under chaos: some transactions stay open for a while before they commit, as they do when a disk is slow.

`PLANTED=ack_before_commit` plants a bug in it, to prove that the chaos test would find it.
"""

import os
import random
import sys
from collections.abc import Callable
from typing import Any

import amqp
import eventlet

from shared.plumbing import relay, store
from shared.plumbing.publisher import Publisher, _message
from shared.plumbing.subscriptions import Subscription

HELD_SHARE, HELD_FOR = 0.2, 0.2

REMEMBER_CURSOR = """
    insert into inbox (consumer, message_id, digest)
    select 'naive cursor', 'last', convert_to(max(position)::text, 'utf8')
      from unnest(%(positions)s::bigint[]) as position
        on conflict (consumer, message_id) do update set digest = excluded.digest
    returning message_id
"""
AFTER_CURSOR = """
    select position, key, phase, correlation_id, body, created_at
      from outbox
     where position > coalesce((select convert_from(digest, 'utf8')::bigint from inbox
                                 where consumer = 'naive cursor'), 0)
     order by position limit %(batch)s
"""


def hold_some_transactions() -> None:
    append, chance = store.append, random.Random(os.getpid())

    def append_and_linger(*arguments: Any) -> Any:
        appended = append(*arguments)
        if chance.random() < HELD_SHARE:
            eventlet.sleep(chance.uniform(0, HELD_FOR))
        return appended

    store.append = append_and_linger


def ack_before_commit() -> None:
    acknowledged: set[tuple[int, int]] = set()
    gather, ack = Subscription._gather, amqp.Channel.basic_ack

    def acknowledge_once(self: Any, delivery_tag: int, multiple: bool = False) -> None:
        if (id(self), delivery_tag) not in acknowledged:
            acknowledged.add((id(self), delivery_tag))
            ack(self, delivery_tag, multiple)

    def gather_and_acknowledge(self: Any, connection: Any, waiting: Any) -> list[Any]:
        batch: list[Any] = gather(self, connection, waiting)
        if batch:
            batch[-1].channel.basic_ack(batch[-1].delivery_tag, multiple=True)
        return batch

    amqp.Channel.basic_ack = acknowledge_once
    Subscription._gather = gather_and_acknowledge  # type: ignore[method-assign]


def no_confirm() -> None:
    def publish_and_hope(self: Any, messages: Any) -> None:
        if self._connection is None:
            self._open()
        for one in messages:
            self._channel.basic_publish(_message(one), one.exchange, one.key)

    Publisher._publish = publish_and_hope  # type: ignore[method-assign]


def naive_cursor() -> None:
    """In calls only: the gateway has no inbox in which its relay could remember a cursor."""
    if sys.argv[-1].startswith("services.calls."):
        assert hasattr(relay, "SELECT_NEXT"), "the statement has another name now"
        assert hasattr(relay, "DELETE_CONFIRMED"), "the statement has another name now"
        relay.SELECT_NEXT, relay.DELETE_CONFIRMED = AFTER_CURSOR, REMEMBER_CURSOR


BUGS: dict[str, Callable[[], None]] = {
    "ack_before_commit": ack_before_commit,
    "no_confirm": no_confirm,
    "naive_cursor": naive_cursor,
}

hold_some_transactions()
if bug := os.environ.get("PLANTED"):
    BUGS[bug]()
