"""The price of a call: set once, replaced with its reason, and failed until somebody mends what is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.billing.domain import charge as domain
from services.billing.domain.charge import Failed, SetPrice
from shared.contracts.billing.events import CallPriced, CallRerated, Failure, Price, RatingFailed, Why
from tests.support.spec import Spec

given = Spec(domain).given
ID, OLHA = UUID(int=1), UUID(int=2)
DUE = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
AT = DUE + timedelta(seconds=1)
ABOUT: dict[str, Any] = {"call_id": ID, "call_version": 4, "due_at": DUE, "at": AT}
CHEAP, DEAR = Price(amount=Decimal("0.10"), currency="UAH"), Price(amount=Decimal("0.25"), currency="UAH")
NO_RATE = Failed(reason=Failure.NO_RATE, number="+380671234567")
priced = CallPriced(**ABOUT, price=CHEAP)
failed = RatingFailed(**ABOUT, reason=Failure.NO_RATE, number="+380671234567")


def rate(outcome: Price | Failed, **words: Any) -> SetPrice:
    return SetPrice(**ABOUT, outcome=outcome, **words)


def rerated(before: Price, price: Price, difference: str | None, **words: Any) -> CallRerated:
    exact = None if difference is None else Decimal(difference)
    return CallRerated(
        **{**ABOUT, "why": Why.CORRECTED, "by": None, **words}, before=before, price=price, difference=exact
    )


def test_a_call_is_priced() -> None:
    given().when(rate(CHEAP)).then(priced)


def test_the_same_price_again_changes_nothing() -> None:
    given(priced).when(rate(CHEAP)).then_nothing()


def test_another_price_tells_the_old_one_the_difference_and_why() -> None:
    given(priced).when(rate(DEAR)).then(rerated(CHEAP, DEAR, "0.15"))
    by_olha = rerated(CHEAP, DEAR, "0.15", why=Why.RERATED, by=OLHA)
    given(priced).when(rate(DEAR, why=Why.RERATED, by=OLHA)).then(by_olha)


def test_between_two_currencies_there_is_no_difference() -> None:
    euros = replace(CHEAP, currency="EUR")
    given(priced).when(rate(euros)).then(rerated(CHEAP, euros, None))


def test_rating_fails_with_the_number_that_has_no_rate() -> None:
    given().when(rate(NO_RATE)).then(failed)


def test_a_re_rating_says_who_and_why_whatever_it_comes_to() -> None:
    said: dict[str, Any] = {"why": Why.RERATED, "by": OLHA}
    given(priced).when(rate(NO_RATE, **said)).then(replace(failed, **said))
    given(failed).when(rate(CHEAP, **said)).then(replace(priced, **said))


def test_failing_again_for_the_same_reason_changes_nothing() -> None:
    given(failed).when(rate(NO_RATE)).then_nothing()


def test_a_failed_call_gets_its_first_price_when_the_tariff_is_mended() -> None:
    given(failed).when(rate(CHEAP)).then(priced)


def test_a_price_that_came_back_after_a_failure_is_told_against_the_last_one() -> None:
    given(priced, failed).when(rate(DEAR)).then(rerated(CHEAP, DEAR, "0.15"))
    given(priced, failed).when(rate(CHEAP)).then(rerated(CHEAP, CHEAP, "0.00"))
