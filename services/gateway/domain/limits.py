"""How much may be done: buckets of tokens that fill again with time. Instants are microseconds, as Redis counts."""

import math
from dataclasses import dataclass
from typing import NamedTuple

MICRO = 1_000_000
LONGEST_WAIT = 300.0
"""Seconds: nobody is shut out for longer, however often they guess."""
STRIKES_KEPT = 900.0
"""Seconds without another strike after which none is held against anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`burst` at once, then `rate` a second; or, with a `window`, `burst` in that many seconds from the first on.

    With `doubling`, each strike beyond the burst shuts for twice as long as the one before.
    """

    burst: int
    rate: float = 0.0
    window: float = 0.0
    doubling: bool = False

    @property
    def kept(self) -> float:
        """Seconds after which a bucket that nobody touches is as good as new."""
        return max(self.window or self.burst / self.rate, STRIKES_KEPT if self.doubling else 0.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` were left at the instant `at`, which with a window is its beginning."""

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
    passed = max(0, at - bucket.at)
    if limit.window:
        return Bucket(limit.burst, at, bucket.strikes) if passed >= limit.window * MICRO else bucket
    return Bucket(min(limit.burst, bucket.tokens + passed * limit.rate / MICRO), max(at, bucket.at), bucket.strikes)


def take(bucket: Bucket, limit: Limit, wanted: int, at: int) -> tuple[Bucket, Taken]:
    """As many whole tokens as are wanted and there; none wanted is a question how long to wait."""
    given = max(0, min(wanted, math.floor(bucket.tokens)))
    left = Bucket(bucket.tokens - given, bucket.at, bucket.strikes)
    if left.tokens >= 1:
        return left, Taken(given, 0.0)
    wait = (left.at + limit.window * MICRO - at) / MICRO if limit.window else (1 - left.tokens) / limit.rate
    return left, Taken(given, wait)


def strike(bucket: Bucket, limit: Limit, at: int) -> Bucket:
    """Something went wrong that may not go wrong often."""
    strikes = bucket.strikes + 1
    if limit.doubling and strikes > limit.burst:
        shut_for = min(limit.window * 2 ** min(strikes - limit.burst, 20), LONGEST_WAIT)
        return Bucket(0, at + round((shut_for - limit.window) * MICRO), strikes)
    return Bucket(bucket.tokens - 1, bucket.at, strikes)
