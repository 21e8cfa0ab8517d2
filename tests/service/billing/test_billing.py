"""Billing as a process: asked over RPC, and told of calls by the broker."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.plumbing.database import Postgres
from shared.plumbing.publisher import Outgoing
from tests.integration.billing.company import TENANT, call_id, ended, told
from tests.service.billing.conftest import Ask
from tests.support.infrastructure import Broker, Service, eventually

LATENESS = "select extract(epoch from changed_at - (charge ->> 'due_at')::timestamptz)::float from charges"
RATE = {"direction": "outbound", "prefix": "+38050", "per_minute": "1.20"}
TARIFF = {"tenant": TENANT, "name": "Тариф", "currency": "UAH"}
Start = Callable[..., Service]


def hear(broker: Broker, *names: object) -> None:
    """Calls that have ended just now."""
    now = datetime.now(UTC)
    messages = [told(ended(name, ended_at=now)).body | {"recorded_at": now.isoformat()} for name in names]
    broker.publish(*(Outgoing("calls.events", "ended", json.dumps(body)) for body in messages))


def latenesses(db: Postgres) -> list[float]:
    """Seconds between when each price was due and when it was there."""
    with db.autocommit() as conn:
        return [late for (late,) in conn.execute(LATENESS)]


def ruling_tariff(ask: Ask, **words: Any) -> str:
    tariff_id = str(uuid4())
    drafted = ask("draft_tariff", command_id=uuid4(), tariff_id=tariff_id, **TARIFF, **{"rates": [RATE], **words})
    assert drafted["error"] is None
    about = {"command_id": uuid4(), "tenant": TENANT, "tariff_id": tariff_id, "valid_from": "2020-01-01T00:00:00Z"}
    assert ask("activate_tariff", **about)["error"] is None
    return tariff_id


def test_a_call_is_priced_within_a_second_after_it_is_due_and_never_before(
    start: Start, ask: Ask, broker: Broker, billing_db: Postgres
) -> None:
    start()
    tariff_id = ruling_tariff(ask)
    hear(broker, "a", "b")
    eventually(lambda: len(latenesses(billing_db)) == 2)
    assert all(0 <= late < 1 for late in latenesses(billing_db))
    shown = ask("price", tenant=TENANT, call_id=call_id("a"))["result"]
    assert (shown["amount"], shown["tariff"]["id"]) == ("1.2000", tariff_id)


def test_a_price_list_that_is_too_long_for_a_message_comes_in_slices(start: Start, ask: Ask) -> None:
    start()
    lines = "\n".join(f"outbound;+{10**6 + number};1,2" for number in range(10_000))
    content, upload = f"direction;prefix;per_minute\n{lines}\n".encode("utf-8-sig"), str(uuid4())
    slices = [content[at : at + 100_000] for at in range(0, len(content), 100_000)]
    for number, part in enumerate(slices):
        sent = {"upload_id": upload, "tenant": TENANT, "number": number, "content": b64encode(part).decode()}
        assert ask("upload", **sent)["error"] is None
    about = {"id": upload, "slices": len(slices), "format": "csv"}
    tariff_id = ruling_tariff(ask, rates=[], upload=about)
    [shown] = ask("tariffs", tenant=TENANT)["result"]["tariffs"]
    assert (shown["tariff_id"], shown["count"], shown["state"]) == (tariff_id, 10_000, "active")
    page = ask("rates", tenant=TENANT, tariff_id=tariff_id, slice=9)["result"]["rates"]
    assert (len(page), page[-1]["prefix"], page[-1]["per_minute"]) == (1000, "+1009999", "1.2")
    assert ask("rates", tenant=TENANT, tariff_id=tariff_id, slice=10)["result"] == {"rates": []}


def test_what_is_wrong_with_a_tariff_is_said_by_field_and_nothing_is_kept(
    start: Start, ask: Ask, billing_db: Postgres
) -> None:
    start()

    def wrong(**words: Any) -> Any:
        tariff = {"command_id": uuid4(), "tariff_id": uuid4(), **TARIFF, "rates": [RATE], **words}
        answer = ask("draft_tariff", **tariff)
        assert answer["error"]["exc_type"] == "Invalid"
        return answer["error"]["exc_args"][1]

    assert list(wrong(currency="ГРН")) == ["currency"]
    assert list(wrong(name="")) == ["name"]
    assert list(wrong(rounding={"mode": "sideways"})) == ["rounding.mode"]
    assert wrong(rates=[RATE, {**RATE, "prefix": "+38O"}, {**RATE, "increment_seconds": 0}, 7]).keys() == {
        "rates.1.prefix",
        "rates.2.increment_seconds",
        "rates.3",
    }
    [decimal] = wrong(rates=[RATE, {**RATE, "per_minute": 1.2}])["rates.1.per_minute"]
    assert "1.20" in str(decimal)
    [duplicate] = wrong(rates=[RATE, RATE])["rates.1.prefix"]
    assert "rates.0" in str(duplicate)
    with billing_db.autocommit() as conn:
        assert conn.execute("select count(*) from events").fetchone() == (0,)


def test_a_replica_stops_within_its_time_while_calls_are_due(
    start: Start, ask: Ask, broker: Broker, billing_db: Postgres
) -> None:
    replica = start()
    hear(broker, *range(500))
    eventually(lambda: len(latenesses(billing_db)) > 0)
    assert replica.terminate() == 0
    start()
    eventually(lambda: len(latenesses(billing_db)) == 500)


def test_prices_become_due_while_nobody_works_and_are_made_up_for(
    start: Start, broker: Broker, billing_db: Postgres
) -> None:
    hear(broker, "a")
    start(PRICE_DELAY="0")
    eventually(lambda: len(latenesses(billing_db)) == 1)
    with billing_db.autocommit() as conn:
        row = conn.execute("select due_at - ended_at from calls").fetchone()
    assert row == (timedelta(0),)
