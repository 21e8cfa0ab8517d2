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
    """`find` takes a dictionary look-up per length of prefix that the tariff has, however many rates there are."""

    def __init__(self, tariff: TariffUsed, currency: str, rates: Iterable[Rate]) -> None:
        self.tariff, self.currency = tariff, currency
        self._by_prefix: dict[Direction, dict[str, tuple[Rate, ...]]] = {direction: {} for direction in Direction}
        for rate in rates:
            known = self._by_prefix[rate.direction]
            known[rate.prefix] = (*known.get(rate.prefix, ()), rate)
        for known in self._by_prefix.values():
            for prefix, same in known.items():
                if len(same) > 1:
                    known[prefix] = tuple(sorted(same, key=lambda rate: len(rate.line), reverse=True))
        self._lengths = {
            direction: sorted({len(prefix) for prefix in known}, reverse=True)
            for direction, known in self._by_prefix.items()
        }

    def find(self, direction: Direction, number: str, line: str) -> Rate | None:
        """The rate of the longest prefix of `number`, then of the longest beginning of `line`."""
        known = self._by_prefix[direction]
        for length in self._lengths[direction]:
            # A number shorter than the prefixes of this length is cut to itself, which is none of them.
            for rate in known.get(number[:length], ()) if length <= len(number) else ():
                if line.startswith(rate.line):
                    return rate
        return None
