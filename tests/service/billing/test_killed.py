"""Killed in the middle of rating a period again: another goes on, and the report is right."""

from typing import Any
from uuid import uuid4

from shared.contracts.wire import Json
from shared.plumbing.database import Postgres
from tests.integration.billing.company import TENANT
from tests.service.billing.conftest import Ask, fill
from tests.service.billing.test_billing import RATE, Start, latenesses, ruling_tariff
from tests.support.infrastructure import Broker, eventually

CALLS = 1600
EVENTS = "select type, count(*), count(distinct stream) from events where stream like 'charge-%%' group by 1 order by 1"
PERIOD = {"placed_from": "2026-01-01T00:00:00Z", "placed_to": "2026-02-01T00:00:00Z", "dry_run": False}


def test_a_rerating_goes_on_after_its_process_was_killed_and_ends_with_the_right_report(
    start: Start, ask: Ask, broker: Broker, billing_db: Postgres
) -> None:
    replica = start()
    ruling_tariff(ask)
    fill(billing_db, CALLS)
    eventually(lambda: len(latenesses(billing_db)) == CALLS, seconds=60, every=0.2)
    ruling_tariff(ask, rates=[{**RATE, "per_minute": "2.00"}])
    rerating = ask("rerate", command_id=uuid4(), tenant=TENANT, **PERIOD)["result"]["id"]

    def progress() -> Any:
        with billing_db.autocommit() as conn:
            return conn.execute("select done, ended_at is not null from reratings").fetchone()

    eventually(lambda: progress()[0] > 0, seconds=30, every=0.005)
    replica.kill()
    done, ended = progress()
    assert 0 < done < CALLS
    assert not ended
    start()
    eventually(lambda: progress() == (CALLS, True), seconds=60, every=0.2)
    found: Json = ask("rerating", tenant=TENANT, rerating_id=rerating)["result"]
    assert found["calls"] == {"total": CALLS, "done": CALLS, "changed": CALLS, "failed": 0}
    assert found["totals"] == [
        {"currency": "UAH", "before": "1920.0000", "after": "3200.0000", "difference": "1280.0000"}
    ]
    with billing_db.autocommit() as conn:
        assert conn.execute(EVENTS).fetchall() == [("call_priced", CALLS, CALLS), ("call_rerated", CALLS, CALLS)]
