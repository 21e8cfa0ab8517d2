"""RPC as the outside sees it: a message, and the reply to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from kombu import Connection

from shared.contracts.topology import RPC_EXCHANGE
from tests.support.infrastructure import eventually

Ask = Callable[..., Any]


@contextmanager
def asking(uri: str, owner: str) -> Iterator[Ask]:
    """`ask("price", call_id=…)`: what the owner replies, `{"result": …, "error": …}`."""
    with Connection(uri) as connection:
        channel, replies = connection.default_channel, str(uuid4())
        channel.queue_declare(replies, exclusive=True)
        channel.queue_bind(replies, RPC_EXCHANGE, replies)

        def ask(method: str, **words: Any) -> Any:
            body = json.dumps({"args": [], "kwargs": words}, default=str).encode()
            message = channel.prepare_message(body, content_type="application/json", properties={"reply_to": replies})
            channel.basic_publish(message, RPC_EXCHANGE, f"{owner}.{method}")
            return json.loads(eventually(lambda: channel.basic_get(replies, no_ack=True)).body)

        yield ask
