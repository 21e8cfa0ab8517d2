"""Which call-back returned a missed call."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.calls.domain.returns import CallBack, MissedCall, returned_by

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
MISSED = MissedCall(UUID(int=1), NOON, None)


def at(**after: float) -> CallBack:
    return CallBack(UUID(int=2), NOON + timedelta(**after))


def test_a_call_back_within_the_window_returns_the_call() -> None:
    assert returned_by(MISSED, [at(hours=23)], DAY) == at(hours=23)


def test_a_call_back_at_the_end_of_the_window_returns_the_call() -> None:
    assert returned_by(MISSED, [at(hours=24)], DAY) == at(hours=24)


def test_a_call_back_after_the_window_does_not_return_the_call() -> None:
    assert returned_by(MISSED, [at(hours=24, microseconds=1)], DAY) is None


def test_a_call_answered_before_the_missed_call_does_not_return_it() -> None:
    assert returned_by(MISSED, [at(microseconds=-1)], DAY) is None


@given(st.lists(st.integers(-1000, 2000), max_size=8), st.randoms())
def test_the_first_call_back_returns_the_call_in_any_order(minutes: list[int], random: object) -> None:
    call_backs = [CallBack(UUID(int=n), NOON + timedelta(minutes=m)) for n, m in enumerate(minutes)]
    shuffled = list(call_backs)
    random.shuffle(shuffled)
    assert returned_by(MISSED, shuffled, DAY) == returned_by(MISSED, call_backs, DAY)
