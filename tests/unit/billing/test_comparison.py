"""What rating again makes of the sums: every line is counted once before and once after."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.comparison import Sum, compare
from shared.contracts.billing.events import ChargeLine, LegKind, Price
from shared.contracts.values import Direction

LINE = ChargeLine(
    leg=LegKind.OUTBOUND,
    number="+380501112233",
    direction=Direction.OUTBOUND,
    prefix="+38050",
    line="",
    talk_seconds=60,
    free_seconds=0,
    minimum_seconds=1,
    increment_seconds=1,
    billed_seconds=60,
    per_minute=Decimal(1),
    connection_fee=Decimal(0),
    minimal_charge=Decimal(0),
    amount=Decimal(1),
)


def price(*lines: tuple[str, str], currency: str = "UAH") -> Price:
    charged = tuple(replace(LINE, prefix=prefix, amount=Decimal(amount)) for prefix, amount in lines)
    return Price(amount=sum((line.amount for line in charged), Decimal(0)), currency=currency, lines=charged)


def test_a_call_that_moves_to_another_prefix_counts_in_both() -> None:
    found = compare([(price(("+38", "1.00")), price(("+38050", "0.40"))), (price(("+38", "2.00")), None)])
    assert found == {
        ("outbound +38", "UAH"): Sum(calls=2, before=Decimal("3.00"), after=Decimal(0)),
        ("outbound +38050", "UAH"): Sum(calls=1, before=Decimal(0), after=Decimal("0.40")),
    }


def test_two_legs_of_one_prefix_are_one_call() -> None:
    assert compare([(None, price(("+38", "1"), ("+38", "2")))])["outbound +38", "UAH"].calls == 1


amounts = st.decimals(0, 100, places=4).map(str)
prices = st.none() | st.builds(
    lambda lines, currency: price(*lines, currency=currency),
    st.lists(st.tuples(st.sampled_from(["", "+1", "+38"]), amounts), max_size=3),
    st.sampled_from(["UAH", "EUR"]),
)


@given(st.lists(st.tuples(prices, prices), max_size=10), st.integers(0, 10))
def test_slices_add_up_to_the_whole(pairs: list[tuple[Price | None, Price | None]], cut: int) -> None:
    whole, first, rest = compare(pairs), compare(pairs[:cut]), compare(pairs[cut:])
    for key, one in whole.items():
        parts = [part[key] for part in (first, rest) if key in part]
        assert one.calls == sum(part.calls for part in parts)
        assert one.before == sum(part.before for part in parts)
        assert one.after == sum(part.after for part in parts)
    assert sum(one.after for one in whole.values()) == sum(after.amount for _, after in pairs if after)
