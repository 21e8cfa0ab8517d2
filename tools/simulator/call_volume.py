"""When people call: the rhythm of the day and of the week in Kyiv."""

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


def steady_arrivals(dice: Random, start: datetime, per_second: float) -> Iterator[datetime]:
    """Calls that come at random, `per_second` of them on average, for ever."""
    at = start
    while True:
        at += timedelta(seconds=dice.expovariate(per_second))
        yield at


def daily_arrivals(dice: Random, start: datetime, per_busyness: float) -> Iterator[datetime]:
    """Calls that follow the rhythm of the day and the week, for ever."""
    weight, came, hour = 0.0, 0, start
    while True:
        weight += busyness(hour)
        due = round(weight * per_busyness) - came
        came += due
        yield from sorted(hour + HOUR * dice.random() for _ in range(due))
        hour += HOUR


def arrivals_of_period(dice: Random, start: datetime, hours: int, calls: int) -> Iterator[datetime]:
    """Exactly `calls` calls within so many hours, in the rhythm of the day."""
    return islice(daily_arrivals(dice, start, calls / _busyness_of_period(start, hours)), calls)


def usual_calls(start: datetime, hours: int) -> int:
    """How many calls the company has in a period."""
    return max(1, round(CALLS_OF_A_WEEKDAY * _busyness_of_period(start, hours) / sum(BY_HOUR)))


def busyness(at: datetime) -> float:
    there = at.astimezone(KYIV)
    return (BY_HOUR[there.hour] + 0.01) * BY_WEEKDAY[there.weekday()]


def is_working_hour(at: datetime) -> bool:
    there = at.astimezone(KYIV)
    closing = 19 if there.weekday() < SATURDAY else 16
    return there.weekday() <= SATURDAY and 8 <= there.hour < closing


def _busyness_of_period(start: datetime, hours: int) -> float:
    return sum(busyness(start + HOUR * number) for number in range(hours))
