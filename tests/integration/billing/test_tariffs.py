"""Tariffs: drafted whole or not at all, ruling from an instant on, each company's its own."""

import threading
import time
from base64 import b64encode
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import errors

from services.billing import handlers, queries, rate_csv, rates
from shared.contracts.billing.events import Rate, Rounding, RoundingMode
from shared.contracts.errors import Invalid, NotFound, Rejected
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.billing.company import NOON, OTHER, RATES, TENANT, Billing, a_rate
from tests.support.problems import field_codes, refused

YEAR = timedelta(days=365)


def show(billing: Billing, tariff_id: UUID, tenant: str = TENANT) -> Json:
    with billing.db.autocommit() as conn:
        return queries.show_tariff(conn, tenant, tariff_id)


def listed(billing: Billing, tenant: str = TENANT, **page: Any) -> list[Json]:
    with billing.db.autocommit() as conn:
        return queries.list_tariffs(conn, **{"tenant": tenant, "limit": 50, "after_at": None, "after_id": None, **page})


def kept(billing: Billing, tariff_id: UUID) -> list[Rate]:
    with billing.db.autocommit() as conn:
        return list(rates.read(conn, queries.digest(conn, TENANT, tariff_id)))


def test_a_draft_is_kept_with_its_rates(billing: Billing) -> None:
    tariff_id = billing.tariff(valid_from=None, rounding=Rounding(mode=RoundingMode.UP, digits=2))
    assert show(billing, tariff_id) == {
        "tariff_id": str(tariff_id),
        "name": "Тариф",
        "currency": "UAH",
        "rounding": {"mode": "up", "digits": 2},
        "count": 3,
        "version": 1,
        "state": "draft",
        "drafted_at": "2026-11-22T12:00:00.000000Z",
        "valid_from": None,
        "valid_to": None,
    }
    assert tuple(kept(billing, tariff_id)) == RATES


def test_a_draft_written_anew_has_the_new_rates_and_the_next_version(billing: Billing) -> None:
    tariff_id = billing.tariff(valid_from=None)
    billing.tariff([a_rate("+1", "0.05")], valid_from=None, tariff_id=tariff_id)
    assert (show(billing, tariff_id)["version"], show(billing, tariff_id)["count"]) == (2, 1)
    assert kept(billing, tariff_id) == [a_rate("+1", "0.05")]


def test_activating_a_tariff_ends_the_one_before_at_that_instant_in_the_past_too(billing: Billing) -> None:
    first = billing.tariff(valid_from=NOON - YEAR)
    third = billing.tariff(valid_from=NOON + YEAR)
    second = billing.tariff(valid_from=NOON - timedelta(days=1))
    spans = {one: (show(billing, one)["valid_from"], show(billing, one)["valid_to"]) for one in (first, second, third)}
    assert spans == {
        first: ("2025-11-22T12:00:00.000000Z", "2026-11-21T12:00:00.000000Z"),
        second: ("2026-11-21T12:00:00.000000Z", "2027-11-22T12:00:00.000000Z"),
        third: ("2027-11-22T12:00:00.000000Z", None),
    }


def test_a_draft_without_rates_is_not_activated(billing: Billing) -> None:
    with refused("tariff_has_no_rates", Rejected):
        billing.tariff([])
    assert billing.count("tariffs") == 0


def test_an_active_tariff_is_neither_rewritten_nor_discarded(billing: Billing) -> None:
    tariff_id = billing.tariff()
    with refused("tariff_is_active", Rejected):
        billing.tariff([a_rate("+1", "0.05")], valid_from=None, tariff_id=tariff_id)
    with refused("tariff_is_active", Rejected), billing.db.connection() as conn:
        handlers.discard_tariff(conn, uuid4(), TENANT, tariff_id, None)
    assert tuple(kept(billing, tariff_id)) == RATES


def test_a_discarded_draft_is_not_listed(billing: Billing) -> None:
    tariff_id = billing.tariff(valid_from=None)
    with billing.db.connection() as conn:
        handlers.discard_tariff(conn, uuid4(), TENANT, tariff_id, None)
    assert listed(billing) == []


def test_a_command_sent_twice_is_carried_out_once_and_answered_alike(billing: Billing) -> None:
    tariff_id, command, answers = billing.tariff(valid_from=None), uuid4(), list[Json]()

    def activate() -> None:
        with clock.fixed(NOON), billing.db.connection() as conn:
            answers.append(handlers.activate_tariff(conn, command, TENANT, tariff_id, NOON, None))

    threads = [threading.Thread(target=activate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [answers[0]] * 3
    assert billing.count("events") == 2


def test_of_two_who_activate_at_once_from_other_instants_one_is_refused(billing: Billing) -> None:
    tariff_id, outcomes = billing.tariff(valid_from=None), list[str]()

    def activate(days: int) -> None:
        try:
            with billing.db.connection() as conn:
                handlers.activate_tariff(conn, uuid4(), TENANT, tariff_id, NOON + timedelta(days=days), None)
            outcomes.append("activated")
        except Rejected as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=activate, args=(days,)) for days in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["activated", *["tariff_is_active"] * 3]


def test_another_companys_tariff_is_not_there(billing: Billing) -> None:
    tariff_id = billing.tariff(valid_from=None)
    with pytest.raises(NotFound):
        show(billing, tariff_id, OTHER)
    with pytest.raises(NotFound), billing.db.connection() as conn:
        handlers.activate_tariff(conn, uuid4(), OTHER, tariff_id, NOON, None)
    with pytest.raises(NotFound):
        billing.tariff(valid_from=None, tenant=OTHER, tariff_id=tariff_id)
    with pytest.raises(NotFound), billing.db.connection() as conn:
        handlers.activate_tariff(conn, uuid4(), TENANT, uuid4(), NOON, None)
    assert listed(billing, OTHER) == []


def test_tariffs_are_listed_the_newest_first_page_by_page(billing: Billing) -> None:
    drafted = []
    for hour in range(5):
        billing.now = NOON + timedelta(hours=hour)
        drafted.append(str(billing.tariff(valid_from=None)))
    found, after = list[str](), dict[str, Any]()
    while page := listed(billing, limit=2, **after):
        found += [one["tariff_id"] for one in page]
        after = {"after_at": page[-1]["drafted_at"], "after_id": page[-1]["tariff_id"]}
    assert found == drafted[::-1]


def test_what_is_uploaded_in_slices_is_one_file_in_their_order(billing_db: Postgres) -> None:
    upload = uuid4()
    with billing_db.connection() as conn:
        for number, part in reversed(list(enumerate([b"direction,pre", "fix,ї".encode()]))):
            for _ in range(2):
                handlers.take_slice(conn, upload, TENANT, number, b64encode(part).decode())
        assert queries.uploaded(conn, TENANT, upload, 2).decode() == "direction,prefix,ї"
        for tenant, slices in ((TENANT, 3), (OTHER, 2)):
            with refused("upload_is_incomplete", Rejected):
                queries.uploaded(conn, tenant, upload, slices)
        with pytest.raises(Invalid) as refusal:
            handlers.take_slice(conn, upload, TENANT, 3, "не Base64")
        assert field_codes(refusal.value.errors) == {"content": ["not_base64"]}


def test_an_upload_is_forgotten_after_a_day(billing: Billing) -> None:
    with clock.fixed(NOON), billing.db.connection() as conn:
        handlers.take_slice(conn, uuid4(), TENANT, 0, b64encode(b"x").decode())
    for hours, left in ((24, 1), (25, 0)):
        with clock.fixed(NOON + timedelta(hours=hours)), billing.db.connection() as conn:
            handlers.delete_expired_uploads(conn)
        assert billing.count("uploads") == left


def test_ten_thousand_prefixes_are_imported_within_three_seconds(billing: Billing) -> None:
    lines = "\n".join(f"outbound;+{10**6 + number};0,{number % 89 + 10};6" for number in range(10_000))
    began = time.monotonic()
    drafted = rate_csv.read(f"direction;prefix;per_minute;increment_seconds\n{lines}\n".encode("cp1251"))
    tariff_id = billing.tariff(drafted)
    assert time.monotonic() - began < 3
    found = kept(billing, tariff_id)
    assert len(found) == 10_000
    assert (found[9_999].prefix, found[9_999].per_minute) == ("+1009999", Decimal("0.41"))


@pytest.mark.parametrize("table", ["events", "rate_slices"])
def test_the_service_itself_cannot_rewrite_what_was_decided(billing_db: Postgres, table: str) -> None:
    for forbidden in (f"delete from {table}", f"truncate {table}"):
        with pytest.raises(errors.InsufficientPrivilege), billing_db.connection() as conn:
            conn.execute(forbidden)  # type: ignore[call-overload]
