"""Limits that all gateways share through Redis, and that each keeps for itself while Redis is away.

What is in Redis may be lost at any moment: then everybody may begin anew. Keys are digests, so that it holds
neither logins nor addresses. The decision is docs/decisions/0018.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.gateway.domain import limits
from services.gateway.domain.limits import MICRO, Bucket, Limit, Taken

logger = logging.getLogger(__name__)

ANSWERS_WITHIN = 1.0
ASKED_AGAIN_AFTER = 1.0
MOST = 10_000
CHUNKS = 100
"""A process leases this part of a burst at a time: what it has not used is all that a limit can be wrong by."""

# The same as domain/limits.py; tests hold them against each other.
SCRIPT = """
    local burst, rate, window, doubling, kept_for, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]),
        ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])
    local wanted, now = tonumber(ARGV[7]), tonumber(ARGV[8])
    if now == 0 then
        local time = redis.call('time')
        now = time[1] * 1000000 + time[2]
    end
    local kept = redis.call('hmget', KEYS[1], 'tokens', 'at', 'strikes')
    local tokens, at, strikes = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3])
    if not tokens or now - at > kept_for * 1000000 then
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
            local shut_for = math.min(window * 2 ^ math.min(strikes - burst, 20), longest)
            tokens, at = 0, now + math.floor((shut_for - window) * 1000000 + 0.5)
        else
            tokens = tokens - 1
        end
    end
    if wanted ~= 0 then
        redis.call('hset', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', at),
            'strikes', strikes)
        redis.call('expire', KEYS[1], math.ceil(kept_for + longest))
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

Found = TypeVar("Found")


class Buckets(Protocol):
    """Where buckets stand, by key."""

    def take(self, key: str, limit: Limit, wanted: int) -> Taken: ...
    def strike(self, key: str, limit: Limit) -> None: ...
    def remember(self, key: str, seconds: int) -> None: ...
    def remembers(self, key: str) -> bool: ...
    def forget(self, key: str) -> None: ...


class Shared:
    """Buckets in Redis, by its clock. Each method raises RedisError when it does not answer soon."""

    def __init__(self, redis: "Redis", now: Callable[[], int] = lambda: 0) -> None:
        """`now`: microseconds of another clock, 0 for that of Redis."""
        self._redis, self._now = redis, now
        self._script = redis.register_script(SCRIPT)

    @classmethod
    def at(cls, url: str) -> "Shared":
        patience = {"socket_timeout": ANSWERS_WITHIN, "socket_connect_timeout": ANSWERS_WITHIN}
        return cls(Redis.from_url(url, retry=Retry(NoBackoff(), 0), **patience))

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        given, wait = self._ask(key, limit, wanted)
        return Taken(int(given), float(wait))

    def strike(self, key: str, limit: Limit) -> None:
        self._ask(key, limit, STRIKE)

    def remember(self, key: str, seconds: int) -> None:
        self._redis.set(key, 1, ex=seconds)

    def remembers(self, key: str) -> bool:
        return bool(self._redis.exists(key))

    def forget(self, key: str) -> None:
        self._redis.delete(key)

    def _ask(self, key: str, limit: Limit, wanted: int) -> Any:
        of = [limit.burst, limit.rate, limit.window, int(limit.doubling), limit.expires_after, limits.MAX_WAIT]
        return self._script(keys=[key], args=[*of, wanted, self._now()])


class Own:
    """Buckets of this process."""

    def __init__(self, now: Callable[[], int] = lambda: int(monotonic() * MICRO)) -> None:
        self._now = now
        self._buckets: dict[str, Bucket] = {}
        self._until: dict[str, int] = {}

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        now = self._now()
        left, taken = limits.take(limits.filled(self._buckets.get(key), limit, now), limit, wanted, now)
        if wanted:
            _put(self._buckets, key, left)
        return taken

    def strike(self, key: str, limit: Limit) -> None:
        now = self._now()
        _put(self._buckets, key, limits.strike(limits.filled(self._buckets.get(key), limit, now), limit, now))

    def remember(self, key: str, seconds: int) -> None:
        _put(self._until, key, self._now() + seconds * MICRO)

    def remembers(self, key: str) -> bool:
        return self._until.get(key, 0) > self._now()

    def forget(self, key: str) -> None:
        self._buckets.pop(key, None)


def _put(kept: dict[str, Any], key: str, value: Any) -> None:
    """The newest last; the oldest goes when there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > MOST:
        del kept[next(iter(kept))]


class Limiter:
    """The shared buckets while they answer, else our own: limits go on, and nobody is refused because Redis is away."""

    def __init__(self, shared: Buckets, own: Buckets, now: Callable[[], float] = monotonic) -> None:
        self._shared, self._own, self._now = shared, own, now
        self._away, self._ask_again_at = False, float("-inf")

    def take(self, key: str, limit: Limit, wanted: int) -> Taken:
        return self._ask(lambda buckets: buckets.take(key, limit, wanted))

    def strike(self, key: str, limit: Limit) -> None:
        self._ask(lambda buckets: buckets.strike(key, limit))

    def remember(self, key: str, seconds: int) -> None:
        self._ask(lambda buckets: buckets.remember(key, seconds))

    def remembers(self, key: str) -> bool:
        return self._ask(lambda buckets: buckets.remembers(key))

    def forget(self, key: str) -> None:
        self._ask(lambda buckets: buckets.forget(key))

    def _ask(self, ask: Callable[[Buckets], Found]) -> Found:
        # Our own count goes on meanwhile, so that nobody begins anew when Redis goes.
        own = ask(self._own)
        if self._now() < self._ask_again_at:
            return own
        if self._away:
            # One tries whether it is back, the others need not wait.
            self._ask_again_at = self._now() + ASKED_AGAIN_AFTER
        try:
            found = ask(self._shared)
        except RedisError as error:
            self._ask_again_at = self._now() + ASKED_AGAIN_AFTER
            self._say(away=True, error=repr(error))
            return own
        self._ask_again_at = float("-inf")
        self._say(away=False)
        return found

    def _say(self, *, away: bool, error: str = "") -> None:
        if away != self._away:
            self._away = away
            words = "limits are this process's own" if away else "limits are shared again"
            logger.warning(words, extra={"error": error} if away else None)


@dataclass(slots=True)
class _Lease:
    left: int = 0
    shut_until: float = float("-inf")
    asking: int = 0


class Leases:
    """One limit for many callers. Tokens are taken by the chunk and ahead of need: hardly a request waits for them."""

    def __init__(
        self,
        limiter: Limiter,
        limit: Limit,
        later: Callable[[Callable[[], None]], Any],
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`later` does something beside the work at hand."""
        self._limiter, self._limit, self._later, self._now = limiter, limit, later, now
        self._chunk = max(1, limit.burst // CHUNKS)
        self._leases: dict[str, _Lease] = {}

    def wait(self, key: str) -> float:
        """0 if one more may be done now, which is then counted; else in how many seconds."""
        lease = self._leases.get(key)
        if lease is None:
            _put(self._leases, key, lease := _Lease())
        if lease.left == 0 and self._now() >= lease.shut_until:
            self._lease(key, lease)
        if lease.left == 0:
            return max(lease.shut_until - self._now(), 1 / MICRO)
        lease.left -= 1
        if lease.left < self._chunk // 2 and not lease.asking and self._now() >= lease.shut_until:
            self._later(lambda: self._lease(key, lease))
        return 0.0

    def _lease(self, key: str, lease: _Lease) -> None:
        # Who comes while others ask already takes one only: a process must not hoard what is for all.
        wanted = 1 if lease.asking else self._chunk
        lease.asking += 1
        try:
            given, wait = self._limiter.take(key, self._limit, wanted)
        finally:
            lease.asking -= 1
        lease.left += given
        if not given:
            # Waiting for more than one token loses none and spares Redis a question for each.
            lease.shut_until = self._now() + max(wait, wait * self._chunk / 2)
