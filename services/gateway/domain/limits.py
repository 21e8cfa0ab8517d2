"""How much may be done: a bucket of tokens that fills again with time. Instants are microseconds, as Redis counts."""

import math
from dataclasses import dataclass
from typing import NamedTuple

MICRO = 1_000_000
LONGEST_WAIT = 300
"""Seconds: nobody is shut out for longer, however often they guess."""
STRIKES_KEPT = 900
"""Seconds without another strike after which none is held against anybody."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` at once, then `rate` a second. With `doubling`, each strike beyond the burst costs twice the last one."""

    rate: float
    burst: int
    doubling: bool = False

    @property
    def dearest(self) -> float:
        """What a strike costs at most."""
        return max(1.0, LONGEST_WAIT * self.rate)

    @property
    def kept(self) -> float:
        """Seconds after which a bucket that nobody touches is as good as new."""
        return STRIKES_KEPT if self.doubling else (self.burst + 1) / self.rate


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` are left at the instant `at`; less than none after strikes."""

    tokens: float
    at: int
    strikes: int = 0


class Taken(NamedTuple):
    """How many tokens were given, and in how many seconds there will be one (0: there is)."""

    given: int
    wait: float


def filled(bucket: Bucket | None, limit: Limit, at: int) -> Bucket:
    """The bucket as it is at that instant. A clock that goes back fills nothing."""
    if bucket is None or at - bucket.at > limit.kept * MICRO:
        return Bucket(limit.burst, at)
    gained = max(0, at - bucket.at) * limit.rate / MICRO
    return Bucket(min(limit.burst, bucket.tokens + gained), max(at, bucket.at), bucket.strikes)


def take(bucket: Bucket, limit: Limit, wanted: int) -> tuple[Bucket, Taken]:
    """As many whole tokens as are wanted and there; none wanted is a question how long to wait."""
    given = max(0, min(wanted, math.floor(bucket.tokens)))
    left = Bucket(bucket.tokens - given, bucket.at, bucket.strikes)
    return left, Taken(given, max(0.0, (1 - left.tokens) / limit.rate))


def strike(bucket: Bucket, limit: Limit) -> Bucket:
    """Something went wrong that may not go wrong often."""
    strikes = bucket.strikes + 1
    cost = min(2.0 ** max(0, min(strikes - limit.burst, 60)), limit.dearest) if limit.doubling else 1.0
    return Bucket(bucket.tokens - cost, bucket.at, strikes)
