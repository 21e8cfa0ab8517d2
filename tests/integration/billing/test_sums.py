"""What calls cost together: each call once, in the days of the company, and none without a price."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.billing import cost_report
from shared.contracts.billing.rpc import ReportGrouping
from shared.contracts.wire import Json
from tests.integration.billing.company import (
    MOBILE,
    NOON,
    OTHER,
    RATES,
    TENANT,
    Billing,
    a_rate,
    ended,
    freephone,
    told,
)

YEAR = timedelta(days=365)
WHOLE = {"limit": 99, "after_amount": None, "after_about": "", "after_currency": ""}
LATE = NOON + timedelta(hours=10, minutes=30)
"""Half past midnight in Kyiv."""


def show(billing: Billing, by: ReportGrouping, tenant: str = TENANT, **span: Any) -> Json:
    asked = {"placed_from": NOON - YEAR, "placed_to": NOON + YEAR, "zone": "Europe/Kyiv", **WHOLE, **span}
    with billing.db.connection() as conn:
        return cost_report.show(conn, tenant, by=by, **asked)


@pytest.fixture
def priced(billing: Billing) -> Billing:
    """Three calls to Vodafone, one of them late, one to Kyivstar and one that nobody answered; one has no rate."""
    billing.tariff(RATES, valid_from=NOON - YEAR)
    billing.hear(told(ended("a")), told(ended("b")), told(ended("k", callee=MOBILE)), told(ended("u", None)))
    billing.hear(told(ended("late", ended_at=LATE)), told(ended("abroad", callee="+48600100200")))
    billing.hear(told(ended("theirs"), tenant=OTHER))
    assert billing.rate(after=24 * 3600) == 7
    billing.hear(told(ended("pending")))
    return billing


def test_by_day_each_call_counts_where_the_company_has_midnight(priced: Billing) -> None:
    assert show(priced, ReportGrouping.DAY) == {
        "rows": [
            {"day": "2026-11-22", "currency": "UAH", "calls": 4, "amount": "3.0000"},
            {"day": "2026-11-23", "currency": "UAH", "calls": 1, "amount": "1.2000"},
        ],
        "totals": [{"currency": "UAH", "calls": 5, "amount": "4.2000"}],
    }
    assert [row["day"] for row in show(priced, ReportGrouping.DAY, zone="UTC")["rows"]] == ["2026-11-22"]


def test_by_prefix_the_dearest_come_first_and_lines_add_up_to_the_whole(priced: Billing) -> None:
    found = show(priced, ReportGrouping.PREFIX)
    assert found["rows"] == [
        {"prefix": "outbound +38050", "currency": "UAH", "calls": 3, "amount": "3.6000"},
        {"prefix": "outbound +38067", "currency": "UAH", "calls": 1, "amount": "0.6000"},
    ]
    assert found["totals"] == show(priced, ReportGrouping.DAY)["totals"]


def test_a_call_with_two_lines_counts_with_the_prefixes_of_both_and_once_in_the_whole(billing: Billing) -> None:
    billing.tariff(RATES, valid_from=NOON - YEAR)
    billing.hear(told(freephone("f", talked=60, forwarded_after=30)))
    assert billing.rate(after=300) == 1
    found = show(billing, ReportGrouping.PREFIX)
    assert [(row["prefix"], row["calls"]) for row in found["rows"]] == [("inbound +380", 1), ("outbound +38067", 1)]
    [total] = found["totals"]
    assert (total["calls"], Decimal(total["amount"])) == (1, sum(Decimal(row["amount"]) for row in found["rows"]))


def test_the_period_has_its_beginning_and_not_its_end(priced: Billing) -> None:
    placed_at = LATE - timedelta(seconds=66)
    assert [total["calls"] for total in show(priced, ReportGrouping.DAY, placed_from=placed_at)["totals"]] == [1]
    assert [total["calls"] for total in show(priced, ReportGrouping.DAY, placed_to=placed_at)["totals"]] == [4]


def test_nothing_is_told_of_other_companies(priced: Billing) -> None:
    assert (
        show(priced, ReportGrouping.DAY, OTHER)
        == show(priced, ReportGrouping.PREFIX, OTHER)
        == {"rows": [], "totals": []}
    )


@pytest.mark.parametrize("by", list(ReportGrouping))
def test_page_by_page_every_row_is_told_once_in_the_order_of_the_whole(billing: Billing, by: ReportGrouping) -> None:
    rates = [a_rate(f"+{number}", "1.00" if number % 3 else "2.00") for number in range(1, 8)]
    billing.tariff(rates, valid_from=NOON - YEAR)
    for number in range(1, 8):
        day = NOON - timedelta(days=number)
        billing.hear(told(ended(number, ended_at=day, callee=f"+{number}"), received=-number * 86400.0))
    assert billing.rate(after=300) == 7
    whole, found = show(billing, by)["rows"], list[Json]()
    after = dict[str, Any]()
    while page := show(billing, by, limit=2, **after)["rows"]:
        found += page
        last = page[-1]
        after = {"after_amount": Decimal(last["amount"]), "after_about": last[by.value], "after_currency": "UAH"}
    assert found == whole
    assert len(found) == 7
