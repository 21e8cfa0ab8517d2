"""What billing tells becomes the price in the journal: once, whatever the order, and never another company's."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.gateway.directory import repository, settings
from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.scope import Scope
from services.gateway.journal import entries, page_query, projections
from shared.contracts.billing.events import (
    Charge,
    ChargeState,
    Failure,
    Price,
    RatingFailed,
    Rounding,
    Tariff,
    TariffDiscarded,
    TariffState,
)
from shared.contracts.billing.schemas import ChargeSchema, TariffSchema
from shared.contracts.errors import Invalid
from shared.contracts.event import Event, Recorded
from shared.contracts.values import Phase
from shared.contracts.wire import Json, encode, instant, message
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway.event_factories import NOON, TENANT, Message, call_id, call_message, state

DUE = NOON + timedelta(minutes=5)
EVERYTHING = Scope(tenant=TENANT, lines=None)


def charged(name: object, amount: str | None, version: int = 1, tenant: str = TENANT) -> Message:
    """What billing tells of the price of a call; it has failed when `amount` is None."""
    about = call_id(name)
    charge = Charge(
        call_id=about,
        state=ChargeState.PRICED if amount else ChargeState.FAILED,
        price=Price(amount=Decimal(amount), currency="UAH") if amount else None,
        due_at=DUE,
        priced_at=DUE if amount else None,
        reason=None if amount else Failure.NO_RATE,
        number=None if amount else "+380671234567",
    )
    event = RatingFailed(call_id=about, call_version=4, due_at=DUE, at=DUE, reason=Failure.NO_RATE, number=None)
    return message_of(f"charge-{about}", event, ChargeSchema().dump(charge), version, tenant)


def message_of(stream: str, event: Event, body: Json, version: int = 1, tenant: str = TENANT) -> Message:
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=stream,
        version=version,
        recorded_at=NOON,
        correlation_id="about",
        event=event,
    )
    return Message(message(recorded, encode(event), body), "call_priced")


def price(conn: Connection, name: object) -> Any:
    return page_query.get_call(conn, EVERYTHING, call_id(name)).price


def test_a_price_keeps_every_digit(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn:
        projections.project(conn, [call_message(state("a"))])
        assert price(conn, "a") is None
        projections.project(conn, [charged("a", "0.0800")])
        assert price(conn, "a") == {
            "state": "priced",
            "amount": "0.0800",
            "currency": "UAH",
            "due_at": "2026-11-22T12:05:00.000000Z",
            "reason": None,
        }


def test_a_price_that_arrives_before_its_call_is_stored(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn:
        projections.project(conn, [charged("a", "1.50")])
        projections.project(conn, [call_message(state("a"))])
        assert price(conn, "a")["amount"] == "1.50"


def test_prices_in_any_order_and_repeated_leave_the_last(gateway_db: Postgres) -> None:
    news = [charged("a", None, 1), charged("a", "1.00", 2), charged("a", "2.00", 3)]
    for order in permutations(news):
        with gateway_db.connection() as conn, conn.transaction(force_rollback=True):
            projections.project(conn, [call_message(state("a"))])
            for one in (*order, *order):
                projections.project(conn, [one])
            assert (price(conn, "a")["amount"], price(conn, "a")["state"]) == ("2.00", "priced")


def test_a_failed_price_has_its_reason_and_is_no_price(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn:
        projections.project(conn, [call_message(state("a")), call_message(state("b")), call_message(state("c"))])
        projections.project(conn, [charged("a", None), charged("b", "0.00"), charged("c", "1.00", tenant="other")])
        assert (price(conn, "a")["state"], price(conn, "a")["reason"]) == ("failed", "no_rate")
        assert price(conn, "c") is None
        found = page_query.get_page(conn, EVERYTHING, Filters(has=frozenset({Has.PRICE})), 10)
    assert [UUID(row.call_id) for row in found.rows] == [call_id("b")]


def test_the_first_price_of_a_call_is_reported_once(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn:
        news = [call_message(state("a")), charged("a", None, 1), charged("b", "1.00", 1)]
        assert projections.project(conn, news).first_prices == [DUE, DUE]
        assert projections.project(conn, [*news, charged("a", "1.00", 2)]).first_prices == []


def test_each_new_price_gets_a_feed_number(gateway_db: Postgres) -> None:
    def feed(conn: Connection) -> int:
        row = conn.execute("select feed from journal_feed where call_id = %s", (call_id("a"),)).fetchone()
        return int(row[0]) if row else 0

    with gateway_db.connection() as conn:
        projections.project(conn, [call_message(state("a"))])
        before = feed(conn)
        projections.project(conn, [charged("a", "1.00")])
        projections.project(conn, [charged("a", "1.00")])
        assert feed(conn) == before + 1


ENDED = NOON + timedelta(seconds=66)
LAST_YEAR = NOON - timedelta(days=365)


def foretold(db: Postgres, *batches: list[Message], delay: timedelta = timedelta(seconds=300)) -> datetime | None:
    """When the journal says that the price of "a" is due, after these batches of news."""
    with db.connection() as conn, conn.transaction(force_rollback=True):
        for batch in batches:
            projections.project(conn, batch, delay)
        shown = entries.build_price(page_query.get_call(conn, EVERYTHING, call_id("a")))
        assert shown["state"] == ("pending" if shown["due_at"] else "not_due")
        return shown["due_at"] and datetime.fromisoformat(shown["due_at"])


def test_the_predicted_due_time_is_the_delay_after_the_end(gateway_db: Postgres) -> None:
    live = state("a", phase=Phase.TALKING, ended_at=None, talk_time=None)
    assert foretold(gateway_db, [call_message(live)]) is None
    ended = [call_message(live), call_message(state("a"), 2, recorded_at=ENDED)]
    assert foretold(gateway_db, ended) == ENDED + timedelta(seconds=300)
    assert foretold(gateway_db, ended, delay=timedelta(0)) == ENDED


def test_the_due_time_of_an_old_call_counts_from_the_receipt_of_its_end(gateway_db: Postgres) -> None:
    old = state("a", placed_at=LAST_YEAR)
    assert foretold(gateway_db, [call_message(old, recorded_at=NOON)]) == NOON + timedelta(seconds=300)


@pytest.mark.parametrize("apart", [False, True])
def test_a_repeated_end_counts_from_its_first_receipt(gateway_db: Postgres, apart: bool) -> None:
    old, later = state("a", placed_at=LAST_YEAR), NOON + timedelta(hours=1)
    news = [call_message(old, recorded_at=NOON), call_message(replace(old, recorded=True), 2, recorded_at=later)]
    batches = [[one] for one in news] if apart else [news]
    assert foretold(gateway_db, *batches) == NOON + timedelta(seconds=300)
    another = call_message(replace(old, ended_at=LAST_YEAR), 3, recorded_at=later)
    assert foretold(gateway_db, *batches, [another]) == later + timedelta(seconds=300)
    assert foretold(gateway_db, [*news, another]) == later + timedelta(seconds=300)


def test_a_later_setting_does_not_change_a_predicted_due_time(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn, conn.transaction(force_rollback=True):
        repository.ensure_tenant(conn, TENANT, "Оселя")
        projections.project(conn, [call_message(state("a"), recorded_at=ENDED)])
        settings.change(conn, TENANT, {"price_delay_seconds": 7}, NOON)
        news = [
            call_message(state("a", recorded=True), 2, recorded_at=ENDED),
            call_message(state("b"), recorded_at=ENDED),
        ]
        projections.project(conn, news)
        due = [page_query.get_call(conn, EVERYTHING, call_id(name)).price_due_at for name in ("a", "b")]
    assert due == [instant(ENDED + timedelta(seconds=seconds)) for seconds in (300, 7)]


def test_tariff_events_do_not_change_the_journal(gateway_db: Postgres) -> None:
    tariff = Tariff(
        tariff_id=UUID(int=1),
        name="Тариф",
        currency="UAH",
        rounding=Rounding(),
        rates="",
        count=0,
        version=1,
        state=TariffState.DISCARDED,
        valid_from=None,
    )
    event = TariffDiscarded(tariff_id=UUID(int=1), by=None, at=NOON)
    with gateway_db.connection() as conn:
        projections.project(conn, [message_of(f"tariff-{UUID(int=1)}", event, TariffSchema().dump(tariff))])
        with pytest.raises(Invalid):
            projections.project(conn, [message_of(f"tariff-{UUID(int=1)}", event, {"name": "Тариф"}, 2)])
