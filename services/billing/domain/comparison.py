"""What rating calls again makes of the sums: by prefix and currency, before and after."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from shared.contracts.billing.events import ChargeLine, Price

NONE = Decimal(0)
Key = tuple[str, str]
"""A prefix and a currency."""


@dataclass(slots=True)
class Sum:
    """`calls`: how many had a line of this prefix, before or after."""

    calls: int = 0
    before: Decimal = NONE
    after: Decimal = NONE


def compare(pairs: Iterable[tuple[Price | None, Price | None]]) -> dict[Key, Sum]:
    """The sums of calls' prices before and after; None where there was no price."""
    sums: dict[Key, Sum] = defaultdict(Sum)
    for before, after in pairs:
        met = set[Key]()
        for key, line in _lines(before):
            sums[key].before += line.amount
            met.add(key)
        for key, line in _lines(after):
            sums[key].after += line.amount
            met.add(key)
        for key in met:
            sums[key].calls += 1
    return dict(sums)


def _lines(price: Price | None) -> list[tuple[Key, ChargeLine]]:
    return [((f"{line.direction} {line.prefix}", price.currency), line) for line in price.lines] if price else []
