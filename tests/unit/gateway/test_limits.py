"""Limits on a clock that is set: at the limit, one more, and what time gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisIsAway

from services.gateway.auth.rate_limits import MAX_KEYS, Leases, Limiter, LocalBuckets
from services.gateway.domain.limits import MICRO, Limit

REQUESTS = Limit(burst=1000, rate=300)
EXPORTS = Limit(burst=10, window=60)
GUESSES = Limit(burst=5, window=60, doubling=True)


@dataclass
class Clock:
    seconds: float = 1000.0

    def micro(self) -> int:
        return round(self.seconds * MICRO)

    def now(self) -> float:
        return self.seconds


@dataclass
class Away:
    """Redis that does not answer while `away`."""

    own: LocalBuckets
    away: bool = True
    asked: int = 0

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            self.asked += 1
            if self.away:
                raise RedisIsAway("gone")
            return getattr(self.own, name)(*arguments)

        return ask


@dataclass
class Process:
    """The leases of a gateway. What it does beside the work at hand is done at once, or `kept` for later."""

    limiter: Any
    clock: Clock
    limit: Limit = REQUESTS
    kept: list[Callable[[], None]] | None = None
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        later = (lambda ask: ask()) if self.kept is None else self.kept.append
        self.leases = Leases(self.limiter, self.limit, later, self.clock.now)

    def let_in(self, times: int, key: str = "caller") -> int:
        return sum(self.leases.wait(key) == 0 for _ in range(times))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(clock: Clock) -> LocalBuckets:
    return LocalBuckets(clock.micro)


@pytest.mark.parametrize(("limit", "most"), [(REQUESTS, 1000), (EXPORTS, 10), (Limit(burst=3, rate=2), 3)])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_burst_is_let_in_and_not_one_more(own: LocalBuckets, clock: Clock, limit, most, beside):
    assert Process(own, clock, limit).let_in(most + beside) == min(most, most + beside)


def test_time_gives_back_what_the_rate_says(own: LocalBuckets, clock: Clock):
    process = Process(own, clock)
    process.let_in(1001)
    clock.seconds += 1
    assert process.let_in(400) == 300
    clock.seconds += 3600
    assert process.let_in(2000) == 1000


def test_ten_exports_in_a_minute_from_the_first_and_then_ten_again(own: LocalBuckets, clock: Clock):
    process = Process(own, clock, EXPORTS)
    assert process.let_in(1) == 1
    clock.seconds += 50
    assert process.let_in(10) == 9
    assert process.leases.wait("caller") == pytest.approx(10)
    clock.seconds += 9.9
    assert process.let_in(1) == 0
    clock.seconds += 0.2
    assert process.let_in(11) == 10


def test_one_caller_takes_nothing_from_another(own: LocalBuckets, clock: Clock):
    process = Process(own, clock)
    process.let_in(1001, "one")
    assert process.let_in(1001, "other") == 1000


def test_a_clock_that_goes_back_neither_gives_nor_takes(own: LocalBuckets, clock: Clock):
    own.take("key", REQUESTS, 1000)
    clock.seconds -= 500
    assert own.take("key", REQUESTS, 1).granted == 0
    clock.seconds += 501
    assert own.take("key", REQUESTS, 1000).granted == 300


def test_few_requests_cost_a_question(own: LocalBuckets, clock: Clock):
    shared = Away(own, away=False)
    process = Process(shared, clock)
    assert process.let_in(900) == 900
    assert shared.asked <= 100


def test_tokens_are_asked_for_before_they_are_needed(own: LocalBuckets, clock: Clock):
    process = Process(own, clock, kept=(asked := []))
    process.let_in(1)
    assert process.let_in(8) == 8
    assert len(asked) >= 1
    asked[0]()
    assert process.let_in(11) == 11


def test_who_is_shut_out_costs_no_questions(own: LocalBuckets, clock: Clock):
    shared = Away(own, away=False)
    process = Process(shared, clock)
    process.let_in(1001)
    before = shared.asked
    assert process.let_in(1000) == 0
    assert shared.asked == before


def test_what_is_kept_of_callers_is_bounded(own: LocalBuckets, clock: Clock):
    process = Process(own, clock)
    for number in range(MAX_KEYS + 10):
        process.let_in(1, str(number))
    assert len(own._buckets) == MAX_KEYS


def test_five_wrong_passwords_are_free_then_each_doubles_the_wait(own: LocalBuckets, clock: Clock):
    waits = []
    for _ in range(9):
        own.strike("who", GUESSES)
        wait = own.take("who", GUESSES, 0).wait
        waits.append(round(wait))
        clock.seconds += wait
    assert waits == [0, 0, 0, 0, 60, 120, 240, 300, 300]


def test_nobody_is_shut_out_for_more_than_five_minutes(own: LocalBuckets, clock: Clock):
    for _ in range(200):
        own.strike("who", GUESSES)
        wait = own.take("who", GUESSES, 0).wait
        assert wait <= 300
        clock.seconds += wait


def test_a_quarter_of_an_hour_without_another_strike_forgets_all(own: LocalBuckets, clock: Clock):
    for _ in range(8):
        own.strike("who", GUESSES)
        clock.seconds += own.take("who", GUESSES, 0).wait
    clock.seconds += 901
    own.strike("who", GUESSES)
    assert own.take("who", GUESSES, 0).wait == 0


def test_without_redis_limits_go_on(own: LocalBuckets, clock: Clock):
    limiter = Limiter(Away(LocalBuckets(clock.micro)), own, clock.now)
    assert Process(limiter, clock).let_in(1001) == 1000


def test_nobody_begins_anew_when_redis_goes(own: LocalBuckets, clock: Clock):
    shared = Away(LocalBuckets(clock.micro), away=False)
    process = Process(Limiter(shared, own, clock.now), clock)
    assert process.let_in(600) == 600
    shared.away = True
    assert process.let_in(600) == 400


def test_while_one_tries_whether_redis_is_back_the_others_do_not_wait(own: LocalBuckets, clock: Clock):
    shared = Away(LocalBuckets(clock.micro))
    limiter = Limiter(shared, own, clock.now)
    limiter.take("key", REQUESTS, 1)
    clock.seconds += 1
    answers, shared.own = shared.own, Away(own)
    shared.away, shared.own.take = False, lambda *asked: (limiter.take("another", REQUESTS, 1), answers.take(*asked))[1]
    before = shared.asked
    limiter.take("key", REQUESTS, 1)
    assert shared.asked == before + 1


def test_that_redis_is_away_is_said_once_and_that_it_is_back(own: LocalBuckets, clock: Clock, caplog):
    shared = Away(LocalBuckets(clock.micro))
    limiter = Limiter(shared, own, clock.now)
    for _ in range(10):
        limiter.take("key", REQUESTS, 1)
        clock.seconds += 2
    shared.away = False
    for _ in range(3):
        limiter.take("key", REQUESTS, 1)
    assert [record.message for record in caplog.records] == [
        "rate limits are local to this process: Redis is unavailable",
        "rate limits are shared again",
    ]


def test_redis_that_is_away_is_asked_once_a_second(own: LocalBuckets, clock: Clock):
    shared = Away(LocalBuckets(clock.micro))
    limiter = Limiter(shared, own, clock.now)
    for _ in range(100):
        limiter.take("key", REQUESTS, 1)
    assert shared.asked == 1
    clock.seconds += 1
    limiter.take("key", REQUESTS, 1)
    assert shared.asked == 2


def test_what_is_remembered_is_forgotten_in_time(own: LocalBuckets, clock: Clock):
    own.remember("address", 60)
    assert own.remembers("address")
    clock.seconds += 61
    assert not own.remembers("address")
