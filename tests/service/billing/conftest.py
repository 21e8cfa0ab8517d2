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
from tests.integration.billing.company import NUMBER, TENANT

SERVICE, RELAY = "services.billing.service:BillingService", "services.billing.service:BillingRelay"
Ask = Callable[..., Any]
FILL = """
    insert into calls (tenant, call_id, version, facts, placed_at, ended_at, received_at, due_at, pending,
                       correlation_id)
    select %(tenant)s, gen_random_uuid(), 4,
           jsonb_build_object('direction', 'outbound', 'caller', '101', 'callee', %(callee)s::text, 'line', null,
                              'forwarded', '[]'::jsonb, 'placed_at', at, 'answered_at', at, 'ended_at', at,
                              'talk_time', '60.000'),
           at, at, at, at, true, ''
      from generate_series(1, %(calls)s::int) as n, (select timestamptz '2026-01-02 12:00Z' as at) as noon
"""


def fill(db: Postgres, calls: int) -> None:
    """So many calls of a minute each that are due."""
    with db.connection() as conn:
        conn.execute(FILL, {"tenant": TENANT, "callee": NUMBER, "calls": calls})


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
