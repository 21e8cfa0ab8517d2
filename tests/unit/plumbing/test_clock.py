"""The clock can be set, and only for as long as a test wants."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.plumbing import clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_it_is_now() -> None:
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_it_is_what_a_test_says_until_the_block_ends() -> None:
    with clock.fixed(NOON):
        with clock.fixed(NOON + timedelta(hours=1)):
            assert clock.now() == NOON + timedelta(hours=1)
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_an_error_sets_it_right_again() -> None:
    with pytest.raises(RuntimeError), clock.fixed(NOON):
        raise RuntimeError
    assert clock.now() != NOON


def test_blocks_that_end_in_another_order_leave_nothing_behind() -> None:
    """As those of two threads may."""
    first, second = clock.fixed(NOON), clock.fixed(NOON + timedelta(hours=1))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert clock.now() == NOON + timedelta(hours=1)
    second.__exit__(None, None, None)
    assert clock.now() != NOON
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
