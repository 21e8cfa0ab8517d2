"""Rate limits as token buckets. Instants are in microseconds, as in Redis."""

import math
from dataclasses import dataclass
from typing import NamedTuple

MICRO = 1_000_000
MAX_WAIT = 300.0
"""Seconds; the longest time for which a bucket with `doubling` stays empty."""
STRIKES_EXPIRE_AFTER = 900.0
"""Seconds without another strike after which the strikes of a bucket are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`burst` at once, then `rate` a second; or, with a `window`, `burst` per that many seconds.

    With `doubling`, each strike beyond the burst blocks for twice as long as the one before.
    """

    burst: int
    rate: float = 0.0
    window: float = 0.0
    doubling: bool = False

    @property
    def expires_after(self) -> float:
        """Seconds after which an unused bucket is full again and can be deleted."""
        return max(self.window or self.burst / self.rate, STRIKES_EXPIRE_AFTER if self.doubling else 0.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` were left at the instant `at`; with a window, `at` is its beginning."""

    tokens: float
    at: int
    strikes: int = 0


class Taken(NamedTuple):
    """The number of granted tokens, and the seconds until one is available (0: now)."""

    granted: int
    wait: float


def filled(bucket: Bucket | None, limit: Limit, at: int) -> Bucket:
    """The bucket refilled up to that instant. A clock that goes back adds no tokens."""
    if bucket is None or at - bucket.at > limit.expires_after * MICRO:
        return Bucket(limit.burst, at)
    passed = max(0, at - bucket.at)
    if limit.window:
        return Bucket(limit.burst, at, bucket.strikes) if passed >= limit.window * MICRO else bucket
    return Bucket(min(limit.burst, bucket.tokens + passed * limit.rate / MICRO), max(at, bucket.at), bucket.strikes)


def take(bucket: Bucket, limit: Limit, wanted: int, at: int) -> tuple[Bucket, Taken]:
    """Take up to `wanted` whole tokens; 0 only asks how long to wait."""
    granted = max(0, min(wanted, math.floor(bucket.tokens)))
    left = Bucket(bucket.tokens - granted, bucket.at, bucket.strikes)
    if left.tokens >= 1:
        return left, Taken(granted, 0.0)
    wait = (left.at + limit.window * MICRO - at) / MICRO if limit.window else (1 - left.tokens) / limit.rate
    return left, Taken(granted, wait)


def strike(bucket: Bucket, limit: Limit, at: int) -> Bucket:
    """Count a failure, such as a wrong password, against the bucket."""
    strikes = bucket.strikes + 1
    if limit.doubling and strikes > limit.burst:
        blocked_for = min(limit.window * 2 ** min(strikes - limit.burst, 20), MAX_WAIT)
        return Bucket(0, at + round((blocked_for - limit.window) * MICRO), strikes)
    return Bucket(bucket.tokens - 1, bucket.at, strikes)
