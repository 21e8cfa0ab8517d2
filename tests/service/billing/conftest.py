"""Billing in processes of its own, as the broker's other users meet it."""

from collections.abc import Callable, Iterator

import pytest
from kombu import Connection

from shared.plumbing.database import Postgres
from tests.integration.billing.company import NUMBER, TENANT
from tests.support.asking import Ask, asking
from tests.support.infrastructure import Broker, Service, Services, Stack

SERVICE, RELAY = "services.billing.service:BillingService", "services.billing.service:BillingRelay"
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
    with asking(stack.admin_uri, "billing") as ask:
        yield ask
    with Connection(stack.admin_uri) as connection:
        connection.default_channel.queue_delete("rpc-billing")
