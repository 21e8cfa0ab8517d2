"""Buckets in Redis are the buckets of the domain, and gateways that share them are exact enough."""

from collections.abc import Iterator
from itertools import cycle
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from services.gateway.auth.rate_limits import Leases, Limiter, LocalBuckets, RedisBuckets
from services.gateway.domain.limits import MICRO, Limit
from tests.support.infrastructure import Stack

LIMITS = st.sampled_from(
    [
        Limit(burst=1000, rate=300),
        Limit(burst=10, rate=5 / 60),
        Limit(burst=1, rate=1 / 3),
        Limit(burst=10, window=60),
        Limit(burst=5, window=60, doubling=True),
    ]
)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 60), st.integers(-5, 1000)).map(lambda seconds: seconds * MICRO // 7),
        st.sampled_from(["look", "take", "take all", "strike", "forget"]),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def redis(stack: Stack) -> Iterator["Redis"]:
    client = Redis.from_url(stack.env("gateway")["REDIS_URL"])
    yield client
    client.close()


class Clock:
    micro = 1_800_000_000 * MICRO

    def now(self) -> int:
        return self.micro


def tried(buckets: RedisBuckets | LocalBuckets, key: str, limit: Limit, action: str) -> object:
    match action:
        case "strike":
            return buckets.strike(key, limit)
        case "forget":
            return buckets.forget(key)
    return buckets.take(key, limit, {"look": 0, "take": 1, "take all": 10_000}[action])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=LIMITS, steps=STEPS)
def test_redis_and_the_domain_agree_on_every_step(redis: "Redis", limit, steps):
    clock, key = Clock(), f"test:{uuid4()}"
    shared, own = RedisBuckets(redis, clock.now), LocalBuckets(clock.now)
    for passed, action in steps:
        clock.micro += passed
        assert tried(shared, key, limit, action) == tried(own, key, limit, action)


def test_what_is_not_asked_about_is_forgotten_by_redis(redis: "Redis"):
    shared, key = RedisBuckets(redis), f"test:{uuid4()}"
    shared.take(key, Limit(burst=1000, rate=300), 1)
    assert 0 < redis.ttl(key) <= 304
    shared.strike(key, Limit(burst=5, window=60, doubling=True))
    assert 900 < redis.ttl(key) <= 1200


def test_what_is_remembered_is_so_everywhere(redis: "Redis"):
    key = f"test:{uuid4()}"
    RedisBuckets(redis).remember(key, 60)
    assert RedisBuckets(redis).remembers(key)
    assert not RedisBuckets(redis).remembers(f"{key}x")


def test_a_thousand_requests_a_second_over_two_gateways_are_limited_within_five_percent(redis: "Redis"):
    clock, key, limit = Clock(), f"test:{uuid4()}", Limit(burst=1000, rate=300)
    limiter = Limiter(RedisBuckets(redis, clock.now), LocalBuckets())
    gateways = cycle(
        [Leases(limiter, limit, lambda ask: ask(), lambda: clock.micro / MICRO) for _ in ("one", "another")]
    )
    seconds, let_in = 5, 0
    for _ in range(seconds * 1000):
        let_in += next(gateways).wait(key) == 0
        clock.micro += MICRO // 1000
    assert let_in == pytest.approx(1000 + 300 * seconds, rel=0.05)
