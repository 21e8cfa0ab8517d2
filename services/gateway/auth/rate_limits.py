"""Rate limits that all gateways share through Redis, and that each counts for itself while Redis is unavailable.

What is in Redis may be lost at any moment; then every limit starts again. Keys are digests, so that Redis holds
neither logins nor addresses. The decision is docs/decisions/0018.
"""

import logging
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.gateway.domain import limits
from services.gateway.domain.limits import MICRO, Bucket, Limit, Taken

logger = logging.getLogger(__name__)

REDIS_TIMEOUT = 1.0
RETRY_INTERVAL = 1.0
MAX_KEYS = 10_000
CHUNKS = 100
"""A process leases a burst divided by this at a time; its unused part is the greatest error of a limit."""

# The same algorithm as domain/limits.py; tests compare the two.
SCRIPT = """
    local burst, rate, window, doubling, reset_time, max_wait = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]),
        ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])
    local wanted, now = tonumber(ARGV[7]), tonumber(ARGV[8])
    if now == 0 then
        local time = redis.call('time')
        now = time[1] * 1000000 + time[2]
    end
    local stored = redis.call('hmget', KEYS[1], 'tokens', 'at', 'strikes')
    local tokens, at, strikes = tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3])
    if not tokens or now - at > reset_time * 1000000 then
        tokens, at, strikes = burst, now, 0
    end
    local passed = math.max(0, now - at)
    if window == 0 then
        tokens, at = math.min(burst, tokens + passed * rate / 1000000), math.max(at, now)
    elseif passed >= window * 1000000 then
        tokens, at = burst, now
    end
    local given = 0
    if wanted >= 0 then
        given = math.max(0, math.min(wanted, math.floor(tokens)))
        tokens = tokens - given
    else
        strikes = strikes + 1
        if doubling and strikes > burst then
            local blocked_for = math.min(window * 2 ^ math.min(strikes - burst, 20), max_wait)
            tokens, at = 0, now + math.floor((blocked_for - window) * 1000000 + 0.5)
        else
            tokens = tokens - 1
        end
    end
    if wanted ~= 0 then
        redis.call('hset', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', at),
            'strikes', strikes)
        redis.call('expire', KEYS[1], math.ceil(reset_time + max_wait))
    end
    local wait = 0
    if tokens < 1 and window == 0 then
        wait = (1 - tokens) / rate
    elseif tokens < 1 then
        wait = (at + window * 1000000 - now) / 1000000
    end
    return {given, string.format('%.17g', wait)}
"""
STRIKE = -1

Result = TypeVar("Result")


class Buckets(Protocol):
    """A store of token buckets by key."""

    def take(self, key: str, limit: Limit, wanted: int) -> Taken: ...
    def strike(self, key: str, limit: Limit) -> None: ...
    def remember(self, key: str, seconds: int) -> None: ...
    def remembers(self, key: str) -> bool: ...
    def forget(self, key: str) -> None: ...


class RedisBuckets:
    """Buckets in Redis, by its clock. Each method raises RedisError when Redis does not answer in time."""

    def __init__(self, redis: "Redis", now: Callable[[], int] = lambda: 0) -> None:
        """`now`: microseconds of another clock, 0 for that of Redis."""
        self._redis, self._now = redis, now
        self._script = redis.register_script(SCRIPT)

    @classmethod
    def at(cls, url: str) -> "RedisBuckets":
        timeouts = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT}
        return cls(Redis.from_url(url, retry=Retry(NoBackoff(), 0), **timeouts))

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        given, wait = self._run_script(key, limit, wanted)
        return Taken(int(given), float(wait))

    def strike(self, key: str, limit: Limit) -> None:
        self._run_script(key, limit, STRIKE)

    def remember(self, key: str, seconds: int) -> None:
        self._redis.set(key, 1, ex=seconds)

    def remembers(self, key: str) -> bool:
        return bool(self._redis.exists(key))

    def forget(self, key: str) -> None:
        self._redis.delete(key)

    def _run_script(self, key: str, limit: Limit, wanted: int) -> Any:
        parameters = [limit.burst, limit.rate, limit.window, int(limit.doubling), limit.expires_after, limits.MAX_WAIT]
        return self._script(keys=[key], args=[*parameters, wanted, self._now()])


class LocalBuckets:
    """Buckets of this process."""

    def __init__(self, now: Callable[[], int] = lambda: int(monotonic() * MICRO)) -> None:
        self._now = now
        self._buckets: MutableMapping[str, Bucket] = _bounded()
        self._remembered_until: MutableMapping[str, int] = _bounded()

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        now = self._now()
        left, taken = limits.take(limits.filled(self._buckets.get(key), limit, now), limit, wanted, now)
        if wanted:
            self._buckets[key] = left
        return taken

    def strike(self, key: str, limit: Limit) -> None:
        now = self._now()
        self._buckets[key] = limits.strike(limits.filled(self._buckets.get(key), limit, now), limit, now)

    def remember(self, key: str, seconds: int) -> None:
        self._remembered_until[key] = self._now() + seconds * MICRO

    def remembers(self, key: str) -> bool:
        return self._remembered_until.get(key, 0) > self._now()

    def forget(self, key: str) -> None:
        self._buckets.pop(key, None)


def _bounded() -> MutableMapping[str, Any]:
    return LRUCache(MAX_KEYS)


class Limiter:
    """Uses the shared buckets, and the local ones while Redis is unavailable: the limits still hold."""

    def __init__(self, shared: Buckets, local: Buckets, now: Callable[[], float] = monotonic) -> None:
        self._shared, self._local, self._now = shared, local, now
        self._is_available, self._retry_at = True, float("-inf")

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        return self._with_buckets(lambda buckets: buckets.take(key, limit, wanted))

    def strike(self, key: str, limit: Limit) -> None:
        self._with_buckets(lambda buckets: buckets.strike(key, limit))

    def remember(self, key: str, seconds: int) -> None:
        self._with_buckets(lambda buckets: buckets.remember(key, seconds))

    def remembers(self, key: str) -> bool:
        return self._with_buckets(lambda buckets: buckets.remembers(key))

    def forget(self, key: str) -> None:
        self._with_buckets(lambda buckets: buckets.forget(key))

    def _with_buckets(self, operation: Callable[[Buckets], Result]) -> Result:
        # The local buckets are always updated, so that no limit starts again when Redis becomes unavailable.
        local = operation(self._local)
        if self._now() < self._retry_at:
            return local
        if not self._is_available:
            # One request tries Redis again; the others do not wait for it.
            self._retry_at = self._now() + RETRY_INTERVAL
        try:
            shared = operation(self._shared)
        except RedisError as error:
            self._retry_at = self._now() + RETRY_INTERVAL
            self._set_available(False, repr(error))
            return local
        self._retry_at = float("-inf")
        self._set_available(True)
        return shared

    def _set_available(self, is_available: bool, error: str = "") -> None:
        if is_available == self._is_available:
            return
        self._is_available = is_available
        if is_available:
            logger.warning("rate limits are shared again")
        else:
            logger.warning("rate limits are local to this process: Redis is unavailable", extra={"error": error})


@dataclass(slots=True)
class _Lease:
    tokens: int = 0
    blocked_until: float = float("-inf")
    pending: int = 0


class Leases:
    """One limit for many callers. Takes tokens in chunks and in advance, so that few requests wait for Redis."""

    def __init__(
        self,
        limiter: Limiter,
        limit: Limit,
        spawn: Callable[[Callable[[], None]], Any],
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`spawn` runs a function in the background."""
        self._limiter, self._limit, self._spawn, self._now = limiter, limit, spawn, now
        self._chunk = max(1, limit.burst // CHUNKS)
        self._leases: MutableMapping[str, _Lease] = _bounded()

    def wait(self, key: str) -> float:
        """Count a request and return 0, or return the seconds until one more is allowed."""
        lease = self._leases.get(key)
        if lease is None:
            self._leases[key] = lease = _Lease()
        if lease.tokens == 0 and self._now() >= lease.blocked_until:
            self._lease(key, lease)
        if lease.tokens == 0:
            return max(lease.blocked_until - self._now(), 1 / MICRO)
        lease.tokens -= 1
        if lease.tokens < self._chunk // 2 and not lease.pending and self._now() >= lease.blocked_until:
            self._spawn(lambda: self._lease(key, lease))
        return 0.0

    def _lease(self, key: str, lease: _Lease) -> None:
        # While another request takes a chunk, take one token only: a process must not hoard what all share.
        wanted = 1 if lease.pending else self._chunk
        lease.pending += 1
        try:
            given, wait = self._limiter.take(key, self._limit, wanted)
        finally:
            lease.pending -= 1
        lease.tokens += given
        if not given:
            # Waiting for more than one token loses none and saves a call of Redis for each.
            lease.blocked_until = self._now() + max(wait, wait * self._chunk / 2)
