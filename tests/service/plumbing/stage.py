"""What the tests of the plumbing set up and look at: a queue of their own, notes, a client of RPC."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from kombu import Connection

from shared.contracts.topology import RPC_EXCHANGE, dead
from shared.plumbing.publisher import Outgoing
from shared.testing.infrastructure import Broker
from tests.sizes import SIZES

WORK = "double.work"
DOUBLES = "tests.service.plumbing.doubles:"
PAUSES = SIZES["R2"][0].pauses


@dataclass(frozen=True)
class Notes:
    """What the doubles have noted."""

    conn: psycopg.Connection[Any]

    def words(self) -> list[str]:
        return [word for (word,) in self.conn.execute("select word from notes order by id")]

    def __call__(self, *words: str) -> Callable[[], bool]:
        """True once exactly these are noted."""
        return lambda: sorted(self.words()) == sorted(words)


@dataclass(frozen=True)
class Rpc:
    """Asks as a client outside all services does."""

    connection: Connection
    replies: str

    def send(self, method: str, body: Any = None, *, about: str = "", **how: Any) -> None:
        """A request to `answers`, well formed unless `how` says otherwise."""
        text = json.dumps({"args": [], "kwargs": {}} if body is None else body).encode()
        properties = {"reply_to": self.replies, "content_type": "application/json", **how}
        headers = {"nameko.correlation_id": about} | properties.pop("headers", {})
        channel = self.connection.default_channel
        message = channel.prepare_message(
            properties.pop("raw", text), headers=headers, content_type=properties.pop("content_type")
        )
        for name, value in properties.items():
            if value is not None:
                message.properties[name] = value
        channel.basic_publish(message, RPC_EXCHANGE, f"answers.{method}")

    def waiting(self) -> int:
        """How many requests wait for `answers`."""
        return int(self.connection.default_channel.queue_declare("rpc-answers", passive=True).message_count)

    def reply(self) -> Any:
        message = self.connection.default_channel.basic_get(self.replies, no_ack=True)
        return json.loads(message.body) if message else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def say(word: str, /, **how: Any) -> Outgoing:
    """A message for Listener."""
    about = how.pop("about", "")
    return Outgoing("", WORK, json.dumps({"word": word, **how}), about)


def parked(broker: Broker) -> list[Any]:
    return broker.take(dead(WORK))
