"""A tariff's rates in the order in which they are looked for, and the tariffs of a company in the order of time."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts.billing.events import Rate, TariffUsed
from shared.contracts.values import Direction


class Validity(NamedTuple):
    """The tariff that rules from this instant on, until the next one does."""

    valid_from: datetime
    tariff_id: UUID


def ruling(validities: Sequence[Validity], at: datetime) -> UUID | None:
    """The tariff in force then; `validities` are in order of time. Of two from one instant the last."""
    place = bisect_right(validities, at, key=lambda validity: validity.valid_from)
    return validities[place - 1].tariff_id if place else None


@dataclass(frozen=True, slots=True)
class Overlap:
    """The rates at two places answer for the same calls."""

    first: int
    second: int


def overlaps(rates: Iterable[Rate]) -> list[Overlap]:
    """Rates of the same direction, prefix and line as an earlier one. Nested prefixes are fine."""
    seen: dict[tuple[Direction, str, str], int] = {}
    found = []
    for place, rate in enumerate(rates):
        first = seen.setdefault((rate.direction, rate.prefix, rate.line), place)
        if first != place:
            found.append(Overlap(first, place))
    return found


class RateBook:
    """`find` takes a look-up per length of prefix that the tariff has, and of line, however many rates there are."""

    def __init__(self, tariff: TariffUsed, currency: str, rates: Iterable[Rate]) -> None:
        self.tariff, self.currency = tariff, currency
        # By line, then by prefix: lines are few.
        self._rates: dict[Direction, dict[str, dict[str, Rate]]] = {direction: {} for direction in Direction}
        prefixes, lines = _lengths(), _lengths()
        for rate in rates:
            self._rates[rate.direction].setdefault(rate.line, {})[rate.prefix] = rate
            prefixes[rate.direction].add(len(rate.prefix))
            lines[rate.direction].add(len(rate.line))
        self._prefixes, self._lines = _longest_first(prefixes), _longest_first(lines)

    def find(self, direction: Direction, number: str, line: str) -> Rate | None:
        """The rate of the longest prefix of `number`, then of the longest beginning of `line`."""
        known, sizes = self._rates[direction], self._lines[direction]
        through = [known[line[:size]] for size in sizes if size <= len(line) and line[:size] in known]
        for length in self._prefixes[direction]:
            if length <= len(number):
                for rates in through:
                    if rate := rates.get(number[:length]):
                        return rate
        return None


def _lengths() -> dict[Direction, set[int]]:
    return {direction: set() for direction in Direction}


def _longest_first(lengths: dict[Direction, set[int]]) -> dict[Direction, list[int]]:
    return {direction: sorted(found, reverse=True) for direction, found in lengths.items()}
