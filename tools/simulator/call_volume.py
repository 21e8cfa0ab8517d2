"""When people call: the daily and weekly pattern in Kyiv."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

KYIV = ZoneInfo("Europe/Kyiv")
HOUR = timedelta(hours=1)
CALLS_OF_A_WEEKDAY = 800
BY_HOUR = (1, 1, 0, 0, 0, 1, 2, 8, 40, 100, 135, 140, 110, 85, 110, 120, 115, 90, 50, 30, 18, 10, 5, 2)
BY_WEEKDAY = (1.1, 1.0, 1.0, 1.0, 0.95, 0.35, 0.12)
SATURDAY = 5


def steady_arrivals(rng: Random, start: datetime, per_second: float) -> Iterator[datetime]:
    """Endless random arrivals, `per_second` on average."""
    at = start
    while True:
        at += timedelta(seconds=rng.expovariate(per_second))
        yield at


def daily_arrivals(rng: Random, start: datetime, per_busyness: float) -> Iterator[datetime]:
    """Endless arrivals with the daily and weekly pattern."""
    weight, came, hour = 0.0, 0, start
    while True:
        weight += busyness(hour)
        due = round(weight * per_busyness) - came
        came += due
        yield from sorted(hour + HOUR * rng.random() for _ in range(due))
        hour += HOUR


def arrivals_of_period(rng: Random, start: datetime, hours: int, calls: int) -> Iterator[datetime]:
    """Exactly `calls` arrivals within `hours`, with the daily pattern."""
    return islice(daily_arrivals(rng, start, calls / _busyness_of_period(start, hours)), calls)


def expected_call_count(start: datetime, hours: int) -> int:
    """The usual number of calls of the company in a period."""
    return max(1, round(CALLS_OF_A_WEEKDAY * _busyness_of_period(start, hours) / sum(BY_HOUR)))


def busyness(at: datetime) -> float:
    local = at.astimezone(KYIV)
    return (BY_HOUR[local.hour] + 0.01) * BY_WEEKDAY[local.weekday()]


def is_working_hour(at: datetime) -> bool:
    local = at.astimezone(KYIV)
    closing = 19 if local.weekday() < SATURDAY else 16
    return local.weekday() <= SATURDAY and 8 <= local.hour < closing


def _busyness_of_period(start: datetime, hours: int) -> float:
    return sum(busyness(start + HOUR * number) for number in range(hours))
