"""List, requeue and discard the messages in the dead-letter queues."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from shared.contracts.topology import QUEUES, dead
from shared.plumbing.publisher import Outgoing, Publisher, connect

QUEUE_NAMES = tuple(queue.name for queue in QUEUES)
CONTENT = ("content_type", "content_encoding")


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter of `queue`, unacknowledged until it is discarded or the channel closes."""

    queue: str
    raw: Any

    @property
    def id(self) -> str:
        """The id we assigned when we dead-lettered it; for messages the broker dead-lettered, a hash of the content."""
        return str(self._header("x-dead-id") or uuid5(NAMESPACE_OID, f"{self.queue} {self.body!r}"))

    @property
    def body(self) -> bytes:
        body: bytes = self.raw.body
        return body

    @property
    def text(self) -> str:
        """The body for display: indented if JSON, else text with undecodable bytes escaped."""
        try:
            return json.dumps(json.loads(self.body), ensure_ascii=False, indent=2)
        except (ValueError, RecursionError):
            return self.body.decode("utf-8", "backslashreplace")

    @property
    def reason(self) -> str:
        return str(self._header("x-reason") or self._header("x-first-death-reason") or "unknown")

    @property
    def error(self) -> str:
        return str(self._header("x-error") or "")

    @property
    def parked_at(self) -> str:
        return str(self._header("x-parked-at") or "")[:19]

    @property
    def attempts(self) -> str:
        return str(self._header("x-attempts") or "")

    @property
    def key(self) -> str:
        return str(self._header("x-original-key") or self.raw.delivery_info["routing_key"])

    @property
    def correlation_id(self) -> str:
        return str(self.raw.properties.get("correlation_id") or "")

    def _header(self, name: str) -> Any:
        return (self.raw.headers or {}).get(name)


@contextmanager
def dead_letters_in(uri: str, queues: Iterable[str] = QUEUE_NAMES) -> Iterator[Iterator[DeadLetter]]:
    """The dead letters of the queues. Those not discarded return to their queue when the block ends."""
    connection = connect(uri)
    try:
        channel = connection.default_channel
        channel.auto_decode = False
        yield _get_all(channel, queues)
    finally:
        connection.collect()


def _get_all(channel: Any, queues: Iterable[str]) -> Iterator[DeadLetter]:
    for queue in queues:
        # Only as many as there are now: a requeued message may be dead-lettered again while this loop runs.
        for _ in range(channel.queue_declare(dead(queue), passive=True).message_count):
            if raw := channel.basic_get(dead(queue)):
                yield DeadLetter(queue, raw)


def requeue(publisher: Publisher, letter: DeadLetter, body: bytes | None = None) -> None:
    """Publish it to its queue with its attempts reset; discard the dead letter once the broker has confirmed."""
    properties = {name: letter.raw.properties[name] for name in CONTENT if name in letter.raw.properties}
    headers = {"x-original-key": letter.key}
    if body is not None:
        properties = {}
    outgoing = Outgoing(
        "", letter.queue, letter.body if body is None else body, letter.correlation_id, headers, properties
    )
    publisher.publish([outgoing])
    discard(letter)


def discard(letter: DeadLetter) -> None:
    letter.raw.channel.basic_ack(letter.raw.delivery_tag)
