"""Billing in processes of its own, as the broker's other users meet it."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection

from shared.contracts.topology import RPC_EXCHANGE
from shared.plumbing.database import Postgres
from shared.testing.infrastructure import Broker, Service, Services, Stack, eventually

SERVICE, RELAY = "services.billing.service:BillingService", "services.billing.service:BillingRelay"
Ask = Callable[..., Any]


@pytest.fixture
def start(stack: Stack, services: Services, billing_db: Postgres, broker: Broker) -> Callable[..., Service]:
    """`start()`: one more replica, whose prices are due after a second."""

    def replica(target: str = SERVICE, **env: str) -> Service:
        return services.start(target, of="billing", **{"PRICE_DELAY": "1", **env})

    return replica


@pytest.fixture
def ask(stack: Stack) -> Iterator[Ask]:
    """`ask("price", call_id=…)`: what billing replies, `{"result": …, "error": …}`."""
    with Connection(stack.admin_uri) as connection:
        channel, replies = connection.default_channel, str(uuid4())
        channel.queue_declare(replies, exclusive=True)
        channel.queue_bind(replies, RPC_EXCHANGE, replies)

        def send(method: str, **words: Any) -> Any:
            body = json.dumps({"args": [], "kwargs": words}, default=str).encode()
            message = channel.prepare_message(body, content_type="application/json", properties={"reply_to": replies})
            channel.basic_publish(message, RPC_EXCHANGE, f"billing.{method}")
            return json.loads(eventually(lambda: channel.basic_get(replies, no_ack=True)).body)

        yield send
        channel.queue_delete("rpc-billing")
