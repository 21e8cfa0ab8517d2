"""From a call and the rates in force to its price. Exact decimals; each line is rounded once."""

import decimal
from decimal import Decimal

from services.billing.domain.call import EndedCall, Leg, legs
from services.billing.domain.rate_book import RateBook
from shared.contracts.billing.events import ChargeLine, Failure, Price, Rate, Rounding, RoundingMode, TariffUsed

MINUTE, FREE = Decimal(60), Decimal("0.00")
LONGEST_TALK = 31 * 86_400
"""Seconds. Nobody talks for a month: the exchange's clock is wrong, and the price would be."""
MODES = {
    RoundingMode.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingMode.HALF_DOWN: decimal.ROUND_HALF_DOWN,
    RoundingMode.UP: decimal.ROUND_UP,
    RoundingMode.DOWN: decimal.ROUND_DOWN,
}
UNITS = tuple(Decimal(1).scaleb(-digits) for digits in range(7))


class Unrated(Exception):
    """The call cannot be priced; `number` is the one that has no rate."""

    def __init__(self, reason: Failure, number: str | None = None) -> None:
        super().__init__(reason, number)
        self.reason, self.number = reason, number


def rate(call: EndedCall, book: RateBook | None, currency: str) -> Price:
    """The price of the call by `book`, the tariff in force; `currency` is that of free calls without a tariff.

    Raises Unrated.
    """
    paid = legs(call)
    if not paid:
        # No tariff had a say in it, so another one changes nothing.
        return Price(amount=FREE, currency=book.currency if book else currency)
    for leg in paid:
        if leg.talk_seconds > LONGEST_TALK:
            raise Unrated(Failure.TALK_TOO_LONG, leg.number)
    if book is None:
        raise Unrated(Failure.NO_TARIFF)
    lines = tuple(_line(leg, book) for leg in paid)
    amount = sum((line.amount for line in lines), Decimal(0))
    return Price(amount=amount, currency=book.currency, tariff=book.tariff, lines=lines)


def _line(leg: Leg, book: RateBook) -> ChargeLine:
    found = book.find(leg.direction, leg.number, leg.line)
    if found is None:
        raise Unrated(Failure.NO_RATE, leg.number)
    billed = billed_seconds(leg.talk_seconds, found)
    return ChargeLine(
        leg=leg.kind,
        number=leg.number,
        direction=found.direction,
        prefix=found.prefix,
        line=found.line,
        talk_seconds=leg.talk_seconds,
        free_seconds=found.free_seconds,
        minimum_seconds=first_interval(found),
        increment_seconds=found.increment_seconds,
        billed_seconds=billed,
        per_minute=found.per_minute,
        connection_fee=found.connection_fee,
        minimal_charge=found.minimal_charge,
        amount=_amount(billed, found, book.tariff.rounding),
    )


def billed_seconds(talk_seconds: int, rate: Rate) -> int:
    """What is left after the free seconds: the first interval, and then whole increments. 0 if nothing is left."""
    left, first = talk_seconds - rate.free_seconds, first_interval(rate)
    if left <= 0:
        return 0
    beyond = max(left - first, 0)
    return first + -(-beyond // rate.increment_seconds) * rate.increment_seconds


def first_interval(rate: Rate) -> int:
    """The seconds that are paid at least. An increment is the least step, so the first one is never shorter."""
    return max(rate.minimum_seconds, rate.increment_seconds)


def _amount(billed: int, rate: Rate, rounding: Rounding) -> Decimal:
    if not billed:
        return round_(Decimal(0), rounding)
    # Rates have twelve digits and seconds seven: until the division all is exact.
    exact = (rate.per_minute * billed + rate.connection_fee * MINUTE) / MINUTE
    return round_(max(exact, rate.minimal_charge), rounding)


def round_(amount: Decimal, rounding: Rounding) -> Decimal:
    """To the tariff's digits, by its mode."""
    return amount.quantize(UNITS[rounding.digits], MODES[rounding.mode])


def explain(line: ChargeLine, tariff: TariffUsed) -> str:
    """Why the line costs what it does, in words whose numbers can be checked with a pencil."""
    to = f"{line.direction} {line.prefix or 'any number'}{f' through {line.line}' if line.line else ''}"
    found = f"{tariff.name} (version {tariff.version}), {to}: {line.talk_seconds} s talked"
    rounded = f"rounded {tariff.rounding.mode} to {tariff.rounding.digits} digits = {line.amount:f}"
    if not line.billed_seconds:
        return f"{found}, {line.free_seconds} s free, nothing left: {rounded}"
    increments = (line.billed_seconds - line.minimum_seconds) // line.increment_seconds
    return (
        f"{found}, {line.free_seconds} s free; "
        f"{line.minimum_seconds} s + {increments} × {line.increment_seconds} s = {line.billed_seconds} s billed; "
        f"{line.billed_seconds} × {line.per_minute:f} / 60 + {line.connection_fee:f} connection fee, "
        f"{line.minimal_charge:f} at least, {rounded}"
    )
