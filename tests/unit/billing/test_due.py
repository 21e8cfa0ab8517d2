"""When a price is due: five minutes after the end, whatever the order in which the call's versions are heard."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.due import EndHeard, merge
from shared.contracts.billing.due import due_at

DELAY = timedelta(seconds=300)
END = datetime(2026, 11, 22, 10, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize("late", [0, 0.5, 60, -60])
def test_a_price_is_due_five_minutes_after_the_end(late: float) -> None:
    assert due_at(END, END + seconds(late), DELAY) == END + DELAY


@pytest.mark.parametrize("late", [60.000001, -61, 3600, -86400])
def test_when_the_exchanges_clock_is_more_than_a_minute_off_it_is_counted_from_the_receipt(late: float) -> None:
    received_at = END + seconds(late)
    assert due_at(END, received_at, DELAY) == received_at + DELAY


def heard(version: int, facts: str, received: float, ended_at: datetime = END) -> EndHeard:
    received_at = END + seconds(received)
    return EndHeard(
        tenant="acme",
        call_id=UUID(int=1),
        version=version,
        facts={"line": facts},
        placed_at=END - DELAY,
        ended_at=ended_at,
        received_at=received_at,
        due_at=due_at(ended_at, received_at, DELAY),
        pending=True,
        correlation_id=str(version),
    )


def merged(*versions: EndHeard) -> EndHeard:
    return reduce(lambda known, one: merge(known, one), versions)


def test_versions_heard_in_any_order_and_twice_come_to_the_same() -> None:
    versions = [heard(4, "a", 1), heard(5, "a", 70), heard(7, "b", 80, END + seconds(30)), heard(4, "a", 1)]
    [only] = {str(merged(*order)) for order in permutations(versions)}
    assert merged(*versions).due_at == END + seconds(30) + DELAY
    assert "'line': 'b'" in only


@given(st.permutations([heard(version, str(version // 3), version * 20) for version in range(4, 10)]))
def test_the_receipt_is_that_of_the_first_version_that_had_ended(order: list[EndHeard]) -> None:
    found = merged(*order)
    assert (found.received_at, found.version) == (END + seconds(80), 9)


def test_an_end_that_replaces_the_watchdogs_counts_by_itself() -> None:
    last_report, hour = END, 3600
    given_up = heard(3, "given up", 12 * hour, last_report)
    real = heard(4, "a", 13 * hour + 0.2, last_report + seconds(13 * hour))
    for order in permutations([given_up, real]):
        assert merged(*order).due_at == last_report + seconds(13 * hour) + DELAY
    # Told of an hour late, it counts from its own receipt.
    late = heard(5, "b", 15 * hour, last_report + seconds(14 * hour))
    assert merged(given_up, late).due_at == last_report + seconds(15 * hour) + DELAY


def test_another_delay_counts_for_ends_that_are_heard_from_then_on() -> None:
    again = heard(5, "b", 2)
    again = EndHeard(**{**_fields(again), "due_at": again.due_at + seconds(99)})
    assert merged(heard(4, "a", 1), again).due_at == END + DELAY


def test_a_version_that_changes_no_fact_does_not_make_a_rated_call_due_again() -> None:
    rated = EndHeard(**{**_fields(heard(4, "a", 1)), "pending": False})
    assert not merged(rated, heard(5, "a", 2)).pending
    assert not merged(rated, heard(3, "b", 2)).pending
    assert merged(rated, heard(5, "b", 2)).pending


def _fields(one: EndHeard) -> dict[str, object]:
    return {name: getattr(one, name) for name in EndHeard.__dataclass_fields__}
