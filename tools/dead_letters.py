"""What could not be processed waits in dead-letter queues: see it, put it back, or throw it away."""

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
class Letter:
    """A parked message of `queue`, held by us until the channel closes or it is taken away."""

    queue: str
    raw: Any

    @property
    def id(self) -> str:
        """What we named it when we parked it; one that the broker parked is named for its content."""
        return str(self._header("x-dead-id") or uuid5(NAMESPACE_OID, f"{self.queue} {self.body!r}"))

    @property
    def body(self) -> bytes:
        body: bytes = self.raw.body
        return body

    @property
    def text(self) -> str:
        """The body as a person can read it: JSON if it is, else text with what is no text escaped."""
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
def letters(uri: str, queues: Iterable[str] = QUEUE_NAMES) -> Iterator[Iterator[Letter]]:
    """The letters of the queues. All but those taken away go back when the block ends, or when we are killed."""
    connection = connect(uri)
    try:
        channel = connection.default_channel
        channel.auto_decode = False
        yield _get_all(channel, queues)
    finally:
        connection.collect()


def _get_all(channel: Any, queues: Iterable[str]) -> Iterator[Letter]:
    for queue in queues:
        # As many as there are now: what is put back may be parked again before we are through.
        for _ in range(channel.queue_declare(dead(queue), passive=True).message_count):
            if raw := channel.basic_get(dead(queue)):
                yield Letter(queue, raw)


def put_back(publisher: Publisher, letter: Letter, body: bytes | None = None) -> None:
    """Into its queue once more, as if never tried; it leaves the dead letters when the broker has confirmed."""
    properties = {name: letter.raw.properties[name] for name in CONTENT if name in letter.raw.properties}
    headers = {"x-original-key": letter.key}
    if body is not None:
        properties = {}
    outgoing = Outgoing(
        "", letter.queue, letter.body if body is None else body, letter.correlation_id, headers, properties
    )
    publisher.publish([outgoing])
    take_away(letter)


def take_away(letter: Letter) -> None:
    letter.raw.channel.basic_ack(letter.raw.delivery_tag)
