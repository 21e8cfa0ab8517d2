"""Many replicas: one that is added while others work takes its share, and one that dies takes nothing with it."""

import json
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from shared.plumbing.database import Postgres
from tests.service.billing.conftest import RELAY, Ask, fill
from tests.service.billing.test_billing import Start, ruling_tariff
from tests.support.infrastructure import Broker, Stack, eventually

CALLS = 2000
SLOWLY = """
    create or replace function write_slowly() returns trigger language plpgsql as
        'begin perform pg_sleep(0.6); return null; end';
    create trigger write_slowly after insert on charges for each statement execute function write_slowly()
"""
QUICKLY = "drop function write_slowly() cascade"


@pytest.fixture
def slow_disk(stack: Stack, billing_db: Postgres) -> Iterator[None]:
    """What holds a replica up is the database's answer, not the two cores that all share here."""
    with psycopg.connect(stack.env("billing")["OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute(SLOWLY)
        yield
        owner.execute(QUICKLY)


def priced(db: Postgres) -> int:
    with db.autocommit() as conn:
        row = conn.execute("select count(*) from charges").fetchone()
    assert row is not None
    return int(row[0])


def at_work(db: Postgres) -> int:
    """How many batches are being written at this moment."""
    with db.autocommit() as conn:
        row = conn.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_replica_added_while_another_works_works_beside_it_and_the_death_of_one_loses_and_doubles_nothing(
    start: Start, ask: Ask, broker: Broker, billing_db: Postgres, slow_disk: None
) -> None:
    first = start()
    start(RELAY)
    ruling_tariff(ask)
    fill(billing_db, CALLS)
    eventually(lambda: priced(billing_db) > 0)
    assert {at_work(billing_db) for _ in range(100)} <= {0, 1}
    start()
    eventually(lambda: at_work(billing_db) == 2, every=0.01)
    assert priced(billing_db) < CALLS
    first.kill()
    eventually(lambda: priced(billing_db) == CALLS, seconds=30)
    eventually(lambda: broker.count("gateway.journal") >= CALLS + 2, seconds=30)
    said = [json.loads(message.body) for message in broker.take("gateway.journal")]
    told = Counter(body["state"]["call_id"] for body in said if body.get("type") == "call_priced")
    assert (len(told), set(told.values())) == (CALLS, {1})
