"""Rating: the golden values to the digit, and what must hold for every rate and every call."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.call import EndedCall, legs
from services.billing.domain.rate_book import Overlap, RateBook, Validity, overlaps, ruling
from services.billing.domain.rating import LONGEST_TALK, MODES, Unrated, explain, rate
from shared.contracts.billing.events import (
    ChargeLine,
    Failure,
    Price,
    Rate,
    Rounding,
    RoundingMode,
    TariffUsed,
)
from shared.contracts.billing.rates import RateSchema
from shared.contracts.calls.events import Forward
from shared.contracts.values import Direction

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
PLACED = datetime(2026, 11, 22, 10, tzinfo=UTC)
ANSWERED = PLACED + timedelta(seconds=6)
NUMBER, MOBILE, FREEPHONE = "+380501112233", "+380671234567", "+380800333444"
TARIFF = TariffUsed(id=UUID(int=1), name="Тариф «2026»: 5 s talked", version=3, rounding=Rounding())


def a_rate(per_minute: str, direction: Direction = OUT, prefix: str = "+38050", **rest: object) -> Rate:
    values = {
        name: Decimal(value) if isinstance(value, str) and name != "line" else value for name, value in rest.items()
    }
    return Rate(direction=direction, prefix=prefix, per_minute=Decimal(per_minute), **values)  # type: ignore[arg-type]


def a_book(*rates: Rate, rounding: Rounding | None = None) -> RateBook:
    return RateBook(replace(TARIFF, rounding=rounding or Rounding()), "UAH", rates)


def a_call(talked: float, direction: Direction = OUT, **facts: object) -> EndedCall:
    given = {
        "direction": direction,
        "caller": NUMBER if direction is IN else "101",
        "callee": FREEPHONE if direction is IN else NUMBER,
        "line": FREEPHONE if direction is IN else None,
        "placed_at": PLACED,
        "answered_at": ANSWERED,
        "ended_at": ANSWERED + timedelta(seconds=talked),
        "talk_time": timedelta(seconds=talked),
    }
    return EndedCall(**{**given, **facts})  # type: ignore[arg-type]


def price(call: EndedCall, *rates: Rate, rounding: Rounding | None = None) -> Price:
    return rate(call, a_book(*rates, rounding=rounding), "UAH")


# ── the golden values ────────────────────────────────────────────────────────────────────────────────────────────────


def as_sent(**sent: object) -> Rate:
    """A rate as the API takes it, with nothing added."""
    made: Rate = RateSchema().load({"direction": "outbound", "prefix": "+38050", **sent})
    return made


@pytest.mark.parametrize(("talked", "amount"), [(32, "0.0036"), (57, "0.0060"), (75, "0.0078")])
def test_a_minimum_of_30_seconds_and_increments_of_6(talked: int, amount: str) -> None:
    found = price(a_call(talked), as_sent(per_minute="0.006", minimum_seconds=30, increment_seconds=6))
    assert str(found.amount) == amount


def test_a_call_of_15_kopecks_costs_the_minimal_charge_of_20() -> None:
    fifteen = as_sent(per_minute="0.14", connection_fee="0.01", minimal_charge="0.20")
    assert price(a_call(60), fifteen).amount == Decimal("0.20")
    assert price(a_call(60), replace(fifteen, minimal_charge=Decimal(0))).amount == Decimal("0.15")


@pytest.mark.parametrize(("talked", "amount"), [(5, "0.0100"), (12, "0.0240")])
def test_billing_by_the_second(talked: int, amount: str) -> None:
    assert str(price(a_call(talked), as_sent(per_minute="0.12")).amount) == amount


@pytest.mark.parametrize("minimum", [{}, *({"minimum_seconds": seconds} for seconds in (0, 1, 59, 60))])
def test_300_free_seconds_come_off_first_and_the_first_minute_is_whole(minimum: dict[str, int]) -> None:
    minutes = as_sent(per_minute="0.14", free_seconds=300, increment_seconds=60, **minimum)
    found = [price(a_call(talked), minutes) for talked in (300, 301, 420, 421)]
    assert [str(one.amount) for one in found] == ["0.0000", "0.1400", "0.2800", "0.4200"]
    assert found[2].tariff
    assert "60 s + 1 × 60 s = 120 s billed" in explain(found[2].lines[0], found[2].tariff)


# ── single rules ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("talked", [0, 1, 299.5, 300])
def test_when_nothing_is_left_after_the_free_seconds_nothing_is_paid(talked: float) -> None:
    greedy = a_rate("0.14", free_seconds=300, connection_fee="1", minimal_charge="2", minimum_seconds=60)
    assert price(a_call(talked), greedy).amount == 0


def test_a_second_that_has_begun_is_paid() -> None:
    assert price(a_call(4.000001), a_rate("0.12")).amount == Decimal("0.0100")
    assert price(a_call(4), a_rate("0.12")).amount == Decimal("0.0080")


@pytest.mark.parametrize("call", [a_call(60, answered_at=None, talk_time=None), a_call(60, Direction.INTERNAL)])
def test_an_unanswered_and_an_internal_call_cost_nothing_with_a_tariff_or_without(call: EndedCall) -> None:
    for book in (None, a_book()):
        found = rate(call, book, "EUR")
        assert (str(found.amount), found.lines) == ("0.00", ())
        assert found.currency == ("UAH" if book else "EUR")


@pytest.mark.parametrize(
    ("mode", "digits", "amount"),
    [
        ("half_up", 4, "0.0013"),
        ("half_even", 4, "0.0012"),
        ("half_down", 4, "0.0012"),
        ("up", 4, "0.0013"),
        ("down", 4, "0.0012"),
        ("up", 2, "0.01"),
        ("down", 0, "0"),
        ("half_up", 6, "0.001250"),
    ],
)
def test_the_tariff_says_how_its_lines_are_rounded(mode: str, digits: int, amount: str) -> None:
    rounding = Rounding(mode=RoundingMode(mode), digits=digits)
    assert str(price(a_call(1), a_rate("0.075"), rounding=rounding).amount) == amount


def test_an_0800_call_forwarded_to_a_mobile_has_two_lines() -> None:
    forwarded = Forward(to=MOBILE, line="+380443303018", at=ANSWERED + timedelta(seconds=20))
    found = price(
        a_call(80, IN, forwarded=(forwarded,)),
        a_rate("0.60", IN, "+380", line="+380800"),
        a_rate("1.20", OUT, "+38067"),
    )
    shown = [(line.leg, line.number, line.billed_seconds, str(line.amount)) for line in found.lines]
    assert shown == [("inbound", NUMBER, 80, "0.8000"), ("forwarded", MOBILE, 60, "1.2000")]
    assert found.amount == Decimal("2.0000")


def test_a_leg_forwarded_before_the_call_was_answered_is_paid_from_the_answer() -> None:
    early = Forward(to=MOBILE, line=None, at=PLACED + timedelta(seconds=1))
    [_, leg] = legs(a_call(30, IN, forwarded=(early,)))
    assert leg.talk_seconds == 30


def test_a_leg_forwarded_after_the_end_costs_nothing() -> None:
    late = Forward(to=MOBILE, line=None, at=ANSWERED + timedelta(seconds=99))
    found = price(a_call(30, forwarded=(late,)), a_rate("1", connection_fee="5"), a_rate("1", prefix="+38067"))
    assert [line.billed_seconds for line in found.lines] == [30, 0]


def test_the_longest_prefix_wins_then_the_longest_line() -> None:
    rates = [
        a_rate("1", IN, ""),
        a_rate("2", IN, "+380"),
        a_rate("3", IN, "+380", line="+380800"),
        a_rate("4", IN, "+380", line="+380800333"),
        a_rate("5", IN, "+38050", line="+380700"),
        a_rate("6", OUT, "+38050111"),
    ]
    for order in (rates, rates[::-1]):
        book = a_book(*order)
        found = [book.find(IN, NUMBER, line) for line in (FREEPHONE, "+380800999", "", "+380700")]
        assert [one and str(one.per_minute) for one in found] == ["4", "3", "2", "5"]
        assert book.find(IN, "anonymous", "") == rates[0]
        assert book.find(OUT, "+3805", "") is None


def test_a_call_without_a_tariff_and_a_number_without_a_rate_say_so() -> None:
    with pytest.raises(Unrated) as refused:
        rate(a_call(10), None, "UAH")
    assert (refused.value.reason, refused.value.number) == (Failure.NO_TARIFF, None)
    with pytest.raises(Unrated) as refused:
        price(a_call(10), a_rate("1", prefix="+38067"))
    assert (refused.value.reason, refused.value.number) == (Failure.NO_RATE, NUMBER)


def test_a_thousand_million_seconds_of_talk_are_an_error_of_a_clock() -> None:
    with pytest.raises(Unrated) as refused:
        price(a_call(10**9), a_rate("1"))
    assert refused.value.reason is Failure.TALK_TOO_LONG
    assert price(a_call(LONGEST_TALK), a_rate("999999.999999")).amount == Decimal("44639999999.9554")


def test_rates_of_one_direction_prefix_and_line_overlap_and_nested_prefixes_do_not() -> None:
    rates = [a_rate("1"), a_rate("2", prefix="+3805"), a_rate("3", IN), a_rate("4", line="1"), a_rate("5")]
    assert overlaps(rates) == [Overlap(0, 4)]


def test_the_last_tariff_that_began_rules_from_its_very_instant() -> None:
    first, second, third = (UUID(int=number) for number in (1, 2, 3))
    day = timedelta(days=1)
    validities = [Validity(PLACED, first), Validity(PLACED + day, second), Validity(PLACED + day, third)]
    instants = (PLACED - timedelta(microseconds=1), PLACED, PLACED + day - timedelta(microseconds=1), PLACED + day)
    assert [ruling(validities, at) for at in instants] == [None, first, first, third]


# ── what holds for all ───────────────────────────────────────────────────────────────────────────────────────────────

money = st.decimals(0, Decimal("999999.999999"), places=6, allow_nan=False)
small = st.decimals(0, 3, places=4, allow_nan=False)
amounts = money | small
roundings = st.builds(Rounding, mode=st.sampled_from(RoundingMode), digits=st.integers(0, 6))
digits = st.text("0123456789", max_size=4)
rates = st.builds(
    Rate,
    direction=st.sampled_from([IN, OUT]),
    prefix=digits,
    line=digits,
    per_minute=amounts,
    connection_fee=amounts,
    minimum_seconds=st.integers(0, 300),
    increment_seconds=st.integers(1, 300),
    free_seconds=st.integers(0, 600),
    minimal_charge=amounts,
)
talks = st.integers(0, 5_000_000_000).map(lambda microseconds: timedelta(microseconds=microseconds))
offsets = st.integers(-60, 6000).map(lambda seconds: ANSWERED + timedelta(seconds=seconds))
forwards = st.lists(st.builds(Forward, to=digits, line=st.none() | digits, at=offsets), max_size=3)


def whole_tariff(some: list[Rate]) -> list[Rate]:
    """With a rate for every number in either direction, so that nothing fails."""
    anything = [a_rate("0.5", direction, "") for direction in (IN, OUT)]
    return list({(one.direction, one.prefix, one.line): one for one in [*anything, *some]}.values())


calls = st.builds(
    lambda direction, number, line, talked, legs: a_call(
        0,
        direction,
        caller=number,
        callee=number,
        line=line,
        talk_time=talked,
        ended_at=ANSWERED + talked,
        forwarded=tuple(legs),
    ),
    st.sampled_from([IN, OUT]),
    digits,
    st.none() | digits,
    talks,
    forwards,
)


@given(calls, st.lists(rates, max_size=8), roundings)
def test_the_lines_add_up_to_the_amount_and_each_is_rounded(
    call: EndedCall, some: list[Rate], rounding: Rounding
) -> None:
    found = price(call, *whole_tariff(some), rounding=rounding)
    assert sum(Fraction(line.amount) for line in found.lines) == Fraction(found.amount)
    assert len(found.lines) == 1 + len(call.forwarded)
    assert {line.amount.as_tuple().exponent for line in found.lines} == {-rounding.digits}


@given(rates, talks, talks, roundings)
def test_more_seconds_never_cost_less(one: Rate, talked: timedelta, more: timedelta, rounding: Rounding) -> None:
    shorter, longer = (
        price(
            a_call(0, one.direction, caller=one.prefix, callee=one.prefix, line=one.line, talk_time=talk),
            one,
            rounding=rounding,
        ).amount
        for talk in (talked, talked + more)
    )
    assert shorter <= longer


@given(st.lists(rates, min_size=1, max_size=30), digits, digits)
def test_the_rate_found_is_the_one_that_a_scan_of_all_would_find(some: list[Rate], number: str, line: str) -> None:
    once = list({(one.direction, one.prefix, one.line): one for one in some}.values())
    fitting = [
        one for one in once if one.direction is OUT and number.startswith(one.prefix) and line.startswith(one.line)
    ]
    scanned = max(fitting, key=lambda one: (len(one.prefix), len(one.line)), default=None)
    assert a_book(*once).find(OUT, number, line) == scanned


@given(st.lists(st.integers(0, 100), min_size=1, unique=True), st.integers(0, 100), st.integers(-1, 101))
def test_splitting_a_tariffs_validity_changes_nothing(begin: list[int], split: int, at: int) -> None:
    def instant(day: int) -> datetime:
        return PLACED + timedelta(days=day)

    whole = [Validity(instant(day), UUID(int=day)) for day in sorted(begin)]
    known = ruling(whole, instant(split))
    halves = whole if known is None else sorted([*whole, Validity(instant(split), known)])
    assert ruling(halves, instant(at)) == ruling(whole, instant(at))


SAID = re.compile(
    r".*: (?P<talked>\d+) s talked, (?P<free>\d+) s free(?:, nothing left: |; "
    r"(?P<minimum>\d+) s \+ (?P<times>\d+) × (?P<increment>\d+) s = (?P<billed>\d+) s billed; "
    r"(?P<again>\d+) × (?P<per_minute>[\d.]+) / 60 \+ (?P<fee>[\d.]+) connection fee, (?P<least>[\d.]+) at least, )"
    r"rounded (?P<mode>\w+) to (?P<digits>\d) digits = (?P<amount>[\d.]+)"
)


def recomputed(explanation: str) -> Decimal:
    """The price from nothing but what the explanation says."""
    said = SAID.fullmatch(explanation)
    assert said, explanation
    unit = Decimal(1).scaleb(-int(said["digits"]))
    if said["billed"] is None:
        assert int(said["talked"]) <= int(said["free"])
        return Decimal(0).quantize(unit)
    billed = int(said["minimum"]) + int(said["times"]) * int(said["increment"])
    assert billed == int(said["billed"]) == int(said["again"])
    assert (
        billed >= int(said["talked"]) - int(said["free"]) > billed - max(int(said["increment"]), int(said["minimum"]))
    )
    exact = max(Fraction(said["per_minute"]) * billed / 60 + Fraction(said["fee"]), Fraction(said["least"]))
    return _rounded(exact, unit, said["mode"])


def _rounded(exact: Fraction, unit: Decimal, mode: str) -> Decimal:
    steps, rest = divmod(exact, Fraction(unit))
    half = Fraction(unit) / 2
    up = {
        "up": rest > 0,
        "down": False,
        "half_up": rest >= half,
        "half_down": rest > half,
        "half_even": rest > half or (rest == half and steps % 2 == 1),
    }[mode]
    return (steps + up) * unit


@given(calls, st.lists(rates, max_size=8), roundings)
def test_the_explanation_recomputes_to_the_price(call: EndedCall, some: list[Rate], rounding: Rounding) -> None:
    found = price(call, *whole_tariff(some), rounding=rounding)
    assert found.tariff
    for line in found.lines:
        explanation = explain(line, found.tariff)
        assert recomputed(explanation) == line.amount
        assert TARIFF.name in explanation
        assert str(line.amount) in explanation


def test_every_mode_of_rounding_is_known() -> None:
    assert set(MODES) == set(RoundingMode)


def test_an_explanation_reads_well() -> None:
    found = price(a_call(75, line="+380443303018"), a_rate("0.006", minimum_seconds=30, increment_seconds=6))
    [line] = found.lines
    assert isinstance(line, ChargeLine)
    assert explain(line, TARIFF) == (
        "Тариф «2026»: 5 s talked (version 3), outbound +38050: 75 s talked, 0 s free; "
        "30 s + 8 × 6 s = 78 s billed; 78 × 0.006 / 60 + 0 connection fee, 0 at least, "
        "rounded half_up to 4 digits = 0.0078"
    )
