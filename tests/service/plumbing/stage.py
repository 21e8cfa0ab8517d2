"""What the tests of the plumbing set up and look at: a queue of their own, notes, a client of RPC."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import requests
from kombu import Connection

from shared.contracts.topology import RPC_EXCHANGE, dead
from shared.plumbing.publisher import Outgoing
from tests.sizes import SIZES
from tests.support.infrastructure import Broker, Service, Services, Stack, eventually
from tests.support.proxy import Proxy

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


class Asker:
    """The double of that name, by HTTP."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def ask(self, method: str, timeout: float = 3.0, **words: Any) -> tuple[int, Any]:
        answer = requests.post(f"{self.url}/ask/{method}", params={"timeout": timeout}, json=words, timeout=20)
        return answer.status_code, answer.json()

    def quick(self) -> float:
        """Seconds that a route takes which asks nobody."""
        started = time.monotonic()
        requests.get(f"{self.url}/quick", timeout=20).raise_for_status()
        return time.monotonic() - started


def start_double(stack: Stack, services: Services, double: str, *, ready: bool = True, **env: Any) -> Service:
    """With the rights of the administrator at the broker; a proxy stands for its URI."""
    told = {name: value.uri if isinstance(value, Proxy) else str(value) for name, value in env.items()}
    target = double if ":" in double else DOUBLES + double
    service = services.start(target, of="calls", ready=ready, **{"AMQP_URI": stack.admin_uri} | told)
    if double == "Listener" and ready:
        eventually(lambda: "subscription ready" in service.log.read_text())
    return service


def say(word: str, /, **how: Any) -> Outgoing:
    """A message for Listener."""
    about = how.pop("about", "")
    return Outgoing("", WORK, json.dumps({"word": word, **how}), about)


def parked(broker: Broker) -> list[Any]:
    return broker.take(dead(WORK))


def heard(service: Service, word: str) -> list[dict[str, Any]]:
    """Every time that the service heard the word."""
    return [line for line in service.told() if line["message"] == "heard" and line.get("word") == word]
