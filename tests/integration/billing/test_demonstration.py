"""The tariff of the demonstration prices every call that the simulated exchange can make."""

from random import Random

import pytest

from services.billing import rate_csv
from services.billing.domain.rate_book import RateBook
from services.billing.queries import list_tariffs
from shared.contracts.billing.events import Rounding, TariffUsed
from shared.contracts.values import Direction
from shared.plumbing.database import Postgres
from tools import tariff
from tools.demonstration import OTHER_TENANT, TENANT
from tools.simulator import numbers
from tools.simulator.demo_company import FREE_LINE, MAIN_LINE, demo_company


@pytest.fixture(scope="module")
def book() -> RateBook:
    used = TariffUsed(id=tariff._id("x"), name="x", version=1, rounding=Rounding())
    return RateBook(used, "UAH", rate_csv.read(tariff.PRICE_LIST.read_bytes()))


def test_making_it_twice_makes_it_once(billing_db: Postgres) -> None:
    for _ in range(2):
        with billing_db.connection() as conn:
            tariff.ensure_tariff(conn, TENANT)
            tariff.ensure_tariff(conn, OTHER_TENANT)
    with billing_db.autocommit() as conn:
        [shown] = list_tariffs(conn, tenant=TENANT, limit=9, after_at=None, after_id=None)
    assert (shown["state"], shown["name"], shown["version"]) == ("active", tariff.NAME, 1)


def test_there_is_a_rate_for_every_number_and_line_of_the_company(book: RateBook) -> None:
    rng, company = Random(1), demo_company()
    outside = [customer.number for customer in company.customers] + list(company.engineers)
    outside += [kind(rng) for kind in (numbers.mobile, numbers.landline, numbers.foreign) for _ in range(200)]
    for line in (*company.lines, ""):
        assert [number for number in outside if book.find(Direction.OUTBOUND, number, line) is None] == []
        assert [number for number in [*outside, ""] if book.find(Direction.INBOUND, number, line) is None] == []


def test_a_call_to_the_0800_line_is_paid_and_one_to_the_main_line_is_not(book: RateBook) -> None:
    paid, free = (book.find(Direction.INBOUND, "+380501112233", line) for line in (FREE_LINE, MAIN_LINE))
    assert paid is not None
    assert free is not None
    assert (str(paid.per_minute), free.per_minute) == ("0.70", 0)
