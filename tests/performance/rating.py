"""Measure how many calls per second one core rates with a large tariff (domain code only)."""

import argparse
import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from services.billing.domain.call import EndedCall
from services.billing.domain.rate_book import RateBook
from services.billing.domain.rating import rate
from shared.contracts.billing.events import Rate, Rounding, TariffUsed
from shared.contracts.values import Direction
from tests.performance.figures import Figure, median
from tests.support.infrastructure import Services, Stack

PREFIXES, CALLS, TIMES, LIMIT = 100_000, 20_000, 5, 20_000
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
TARIFF = TariffUsed(id=UUID(int=1), name="large", version=1, rounding=Rounding())


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    book, calls = RateBook(TARIFF, "UAH", _rates()), _calls()
    speed = median([_speed(book, calls) for _ in range(TIMES)])
    what = f"calls rated a second on one core, {PREFIXES:,} prefixes"
    return [Figure(what, f"{speed:,.0f}", f"{LIMIT:,}", speed >= LIMIT)]


def _speed(book: RateBook, calls: list[EndedCall]) -> float:
    began = time.process_time()
    for call in calls:
        rate(call, book, "UAH")
    return len(calls) / (time.process_time() - began)


def _rates() -> list[Rate]:
    """Prefixes of one to eleven digits, so that every length has to be looked up."""
    prefixes = {f"+{number}"[:length] for number, length in _numbers(PREFIXES * 2)}
    return [
        Rate(direction=Direction.OUTBOUND, prefix=prefix, per_minute=Decimal(place % 997) / 100, increment_seconds=6)
        for place, prefix in enumerate(["", *sorted(prefixes)[: PREFIXES - 1]])
    ]


def _calls() -> list[EndedCall]:
    return [
        EndedCall(
            direction=Direction.OUTBOUND,
            caller="101",
            callee=f"+{number}",
            line="+380443303018",
            placed_at=AT,
            answered_at=AT,
            ended_at=AT + timedelta(seconds=length),
            talk_time=timedelta(seconds=length, microseconds=number % 1_000_000),
        )
        for number, length in _numbers(CALLS)
    ]


def _numbers(count: int) -> list[tuple[int, int]]:
    chance = random.Random(1)
    return [(chance.randrange(10**11, 10**12), chance.randint(2, 12)) for _ in range(count)]
