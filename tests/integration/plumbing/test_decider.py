"""Orders: carried out in turn, each seeing what the one before did, in one transaction or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.contracts.errors import Rejected
from shared.plumbing import clock, decider, store
from shared.plumbing.database import Postgres
from tests.integration.plumbing.facts import AT, BELL, describe, order, stream


def carry_out(db: Postgres, *orders: decider.CommandEnvelope) -> list[decider.Changed]:
    with db.connection() as conn:
        return decider.execute(conn, BELL, orders, describe)


def test_what_changed_is_told_with_its_state_before_and_after(calls_db: Postgres) -> None:
    name = stream()
    carry_out(calls_db, order(name, "a"))
    [changed] = carry_out(calls_db, order(name, "b"), order(name, "c"))
    assert (changed.before, changed.after, changed.version) == (("a",), ("a", "b", "c"), 3)
    assert (changed.published, changed.tenant) == ({"rung": ["a", "b", "c"]}, "acme")


def test_an_order_that_changes_nothing_writes_nothing(calls_db: Postgres) -> None:
    name = stream()
    carry_out(calls_db, order(name, "a"))
    assert carry_out(calls_db, order(name, "a")) == []


def test_one_refusal_undoes_all(calls_db: Postgres) -> None:
    name, other = stream(), stream()
    with pytest.raises(Rejected):
        carry_out(calls_db, order(name, "a"), order(other, "nobody"))
    with calls_db.connection() as conn:
        assert store.read(conn, [name, other]) == {name: [], other: []}


def test_orders_given_at_once_come_one_after_the_other(calls_db: Postgres) -> None:
    name = stream()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: carry_out(calls_db, order(name, f"{number % 10}")), range(40)))
    with calls_db.connection() as conn:
        history = store.read(conn, [name])[name]
    assert sorted(decider.replay(BELL, history)) == [str(number) for number in range(10)]
    assert [recorded.version for recorded in history] == list(range(1, 11))


def test_events_are_recorded_at_the_time_of_the_clock(calls_db: Postgres) -> None:
    name = stream()
    with clock.fixed(AT):
        carry_out(calls_db, order(name, "a"))
    with calls_db.connection() as conn:
        assert store.read(conn, [name])[name][0].recorded_at == AT
    assert clock.now() > AT
