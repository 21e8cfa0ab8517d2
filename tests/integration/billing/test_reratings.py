"""A period rated again: what changes is told before and after, and who dies on the way loses and doubles nothing."""

import threading
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.billing import reratings
from services.billing.rate_book_cache import RateBookCache
from shared.contracts.errors import Invalid, NotFound, Rejected
from shared.contracts.wire import Json
from shared.plumbing import clock
from tests.integration.billing.company import (
    MOBILE,
    NOON,
    NUMBER,
    OTHER,
    RATES,
    TENANT,
    TERMS,
    Billing,
    a_rate,
    ended,
    told,
)
from tests.support.problems import refused

DEARER = [a_rate("+38050", "2.00"), a_rate("+38067", "0.60")]
YEAR = timedelta(days=365)
OLHA = UUID(int=7)


def begin(billing: Billing, tenant: str = TENANT, **words: Any) -> UUID:
    command = words.pop("command_id", uuid4())
    day = {"placed_from": NOON - timedelta(days=1), "placed_to": NOON + timedelta(days=1)}
    asked = {**day, "tariff_id": None, "dry_run": False, "by": OLHA, **words}
    with clock.fixed(billing.now), billing.db.connection() as conn:
        return UUID(reratings.begin(conn, command, tenant, **asked)["id"])


def work(billing: Billing, most: int = 3) -> bool:
    with clock.fixed(billing.now), billing.db.connection() as conn:
        return reratings.work(conn, billing.books, TERMS, most)


def show(billing: Billing, rerating: UUID, tenant: str = TENANT) -> Json:
    with billing.db.autocommit() as conn:
        return reratings.show(conn, tenant, rerating)


def by_prefix(billing: Billing, rerating: UUID, tenant: str = TENANT, limit: int = 99, **after: Any) -> list[Json]:
    place = {"after_amount": None, "after_about": "", "after_currency": "", **after}
    with billing.db.autocommit() as conn:
        return reratings.by_prefix(conn, tenant, rerating, limit=limit, **place)


@pytest.fixture
def day(billing: Billing) -> Billing:
    """Eight calls to Vodafone, one to Kyivstar and one that nobody answered; then a dearer tariff of that day."""
    billing.tariff(RATES, valid_from=NOON - YEAR)
    billing.hear(*(told(ended(name)) for name in range(8)), told(ended("k", callee=MOBILE)), told(ended("u", None)))
    assert billing.rate(after=300) == 10
    billing.tariff(DEARER, valid_from=NOON - timedelta(hours=1))
    return billing


def test_a_period_is_rated_again_and_every_price_says_why_and_by_whom(day: Billing) -> None:
    rerating = begin(day)
    while work(day):
        assert show(day, rerating)["state"] in ("running", "done")
    found = show(day, rerating)
    assert found["calls"] == {"total": 10, "done": 10, "changed": 8, "failed": 0}
    assert found["totals"] == [{"currency": "UAH", "before": "10.2000", "after": "16.6000", "difference": "6.4000"}]
    assert by_prefix(day, rerating) == [
        {"prefix": "outbound +38050", "currency": "UAH", "calls": 8}
        | {"before": "9.6000", "after": "16.0000", "difference": "6.4000"},
        {"prefix": "outbound +38067", "currency": "UAH", "calls": 1}
        | {"before": "0.6000", "after": "0.6000", "difference": "0.0000"},
    ]
    [earlier] = day.price(0)["history"]
    assert (day.amount(0), earlier["amount"], earlier["difference"]) == ("2.0000", "1.2000", "0.8000")
    assert (earlier["why"], earlier["by"]) == ("rerated", str(OLHA))


def test_page_by_page_every_prefix_is_told_once_those_first_that_differ_most(day: Billing) -> None:
    prefixes = [a_rate(NUMBER[:length], "3.00") for length in range(3, 8)]
    draft = day.tariff([*prefixes, a_rate("+38067", "0.50")], valid_from=None)
    day.hear(*(told(ended(f"+{n}", callee=f"{NUMBER[:n]}9")) for n in range(3, 8)))
    day.rate(after=300)
    rerating = begin(day, dry_run=True, tariff_id=draft)
    while work(day):
        pass
    whole, found, after = by_prefix(day, rerating), list[Json](), dict[str, Any]()
    while page := by_prefix(day, rerating, limit=2, **after):
        found += page
        amount = abs(Decimal(page[-1]["difference"]))
        after = {"after_amount": amount, "after_about": page[-1]["prefix"], "after_currency": "UAH"}
    assert found == whole
    differences = [abs(Decimal(one["difference"])) for one in found]
    assert differences == sorted(differences, reverse=True)
    assert len(differences) > len(set(differences))


def test_a_dry_run_on_a_draft_tells_the_same_and_changes_nothing(day: Billing) -> None:
    draft = day.tariff([a_rate("+380", "3.00")], valid_from=None)
    before = day.count("events"), day.count("outbox")
    rerating = begin(day, dry_run=True, tariff_id=draft)
    while work(day):
        pass
    assert show(day, rerating)["totals"] == [
        {"currency": "UAH", "before": "10.2000", "after": "27.0000", "difference": "16.8000"}
    ]
    assert (day.count("events"), day.count("outbox")) == before
    assert (day.amount(0), day.price(0)["history"]) == ("1.2000", [])


def test_a_dry_run_is_of_the_draft_as_it_was_when_it_was_asked_for(day: Billing) -> None:
    draft = day.tariff([a_rate("+380", "3.00")], valid_from=None)
    rerating = begin(day, dry_run=True, tariff_id=draft)
    assert work(day)
    day.tariff([a_rate("+380", "9.00")], valid_from=None, tariff_id=draft)
    while work(day):
        pass
    assert [(one["before"], one["after"]) for one in show(day, rerating)["totals"]] == [("10.2000", "27.0000")]


def test_prices_that_a_re_rating_takes_away_or_gives_for_the_first_time_say_why_and_by_whom(billing: Billing) -> None:
    billing.hear(told(ended("never")), told(ended("had")))
    assert billing.rate(after=300) == 2
    billing.tariff(RATES, valid_from=NOON - YEAR)
    billing.retry("had")
    billing.rate(after=301)
    billing.tariff([a_rate("+38067", "0.60")], valid_from=NOON - timedelta(hours=1))
    begin(billing)
    while work(billing):
        pass
    billing.tariff(RATES, valid_from=NOON - timedelta(minutes=30))
    begin(billing)
    while work(billing):
        pass
    history = {name: [(one["why"], one["by"]) for one in billing.price(name)["history"]] for name in ("never", "had")}
    again = ("rerated", str(OLHA))
    assert history == {"never": [again, again], "had": [("retried", None), again, again]}


def test_numbers_that_a_draft_has_no_rate_for_are_counted_as_failed(day: Billing) -> None:
    rerating = begin(day, dry_run=True, tariff_id=day.tariff([a_rate("+38050", "1.20")], valid_from=None))
    while work(day):
        pass
    assert show(day, rerating)["calls"] == {"total": 10, "done": 10, "changed": 1, "failed": 1}


def test_who_dies_on_the_way_loses_and_doubles_nothing(day: Billing) -> None:
    rerating = begin(day)
    assert work(day)

    def die_before_the_commit() -> None:
        with clock.fixed(day.now), day.db.connection() as conn:
            reratings.work(conn, day.books, TERMS, 3)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        die_before_the_commit()
    assert show(day, rerating)["calls"]["done"] == 3
    while work(day):
        pass
    assert show(day, rerating)["calls"]["done"] == 10
    assert [len(day.price(name)["history"]) for name in range(8)] == [1] * 8


def test_a_short_period_does_not_wait_for_a_long_one_that_began_before(day: Billing) -> None:
    long = begin(day)
    assert work(day)
    assert work(day)
    short = begin(day, dry_run=True)
    assert work(day)
    assert [show(day, one)["calls"]["done"] for one in (long, short)] == [6, 3]
    while work(day):
        pass
    assert [show(day, one)["calls"]["done"] for one in (long, short)] == [10, 10]


def test_many_replicas_at_once_rate_each_call_once(day: Billing) -> None:
    rerating = begin(day)

    def replica() -> None:
        books = RateBookCache()
        while show(day, rerating)["state"] == "running":
            with day.db.connection() as conn:
                reratings.work(conn, books, TERMS, 2)

    threads = [threading.Thread(target=replica) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert show(day, rerating)["calls"] == {"total": 10, "done": 10, "changed": 8, "failed": 0}
    assert [len(day.price(name)["history"]) for name in range(8)] == [1] * 8


def test_calls_that_are_due_anyway_and_those_of_other_days_and_companies_are_left_alone(day: Billing) -> None:
    day.hear(told(ended("pending")), told(ended("theirs"), tenant=OTHER))
    day.hear(told(ended("before", ended_at=NOON - timedelta(days=3)), received=0))
    rerating = begin(day)
    while work(day):
        pass
    assert show(day, rerating)["calls"]["done"] == 10
    assert {day.price("pending")["state"], day.price("before")["state"]} == {"pending"}


@pytest.mark.parametrize("at", ["placed_from", "placed_to"])
def test_the_period_has_its_beginning_and_not_its_end(day: Billing, at: str) -> None:
    placed_at: datetime = NOON - timedelta(seconds=66)
    rerating = begin(day, **{at: placed_at})
    while work(day):
        pass
    assert show(day, rerating)["calls"]["done"] == {"placed_from": 10, "placed_to": 1}[at] - (at == "placed_to")


def test_the_same_command_again_begins_nothing_new(day: Billing) -> None:
    command = uuid4()
    assert begin(day, command_id=command) == begin(day, command_id=command)
    assert day.count("reratings") == 1


def test_what_makes_no_sense_is_refused(day: Billing) -> None:
    with pytest.raises(Invalid):
        begin(day, placed_to=NOON - timedelta(days=2))
    with pytest.raises(Invalid):
        begin(day, tariff_id=day.tariff(valid_from=None))
    with refused("tariff_has_no_rates", Rejected):
        begin(day, dry_run=True, tariff_id=day.tariff([], valid_from=None))
    for tenant, tariff_id in ((TENANT, uuid4()), (OTHER, day.tariff(valid_from=None))):
        with refused("unknown_tariff", Invalid):
            begin(day, tenant, dry_run=True, tariff_id=tariff_id)
    with pytest.raises(NotFound):
        show(day, begin(day), OTHER)
    with pytest.raises(NotFound):
        by_prefix(day, begin(day), OTHER)
