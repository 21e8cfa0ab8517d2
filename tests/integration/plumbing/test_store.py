"""Streams: written all or nothing, by one writer at a time, never rewritten, and always with their messages."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from shared.contracts.errors import Conflict, Unavailable
from shared.plumbing import store
from shared.plumbing.database import Postgres, is_outage
from tests.integration.plumbing.facts import add, rang, stream
from tests.sizes import Size, sized
from tests.support.infrastructure import Stack, eventually
from tests.support.proxy import Proxy


def parties(db: Postgres, name: str) -> list[str]:
    with db.connection() as conn:
        return [recorded.event.party for recorded in store.read(conn, [name])[name]]  # type: ignore[attr-defined]


def test_events_are_read_as_they_were_written(calls_db: Postgres) -> None:
    name = stream()
    with calls_db.connection() as conn:
        add(conn, name, 0, ["a", "їжак"])
    with calls_db.connection() as conn:
        [first, second] = store.read(conn, [name])[name]
    assert (first.event, second.event) == (rang("a"), rang("їжак"))
    assert (first.version, second.version, second.correlation_id, second.tenant) == (1, 2, "trace", "acme")


def test_a_stream_that_is_not_there_is_empty(calls_db: Postgres) -> None:
    assert parties(calls_db, stream()) == []


def write_both(db: Postgres, new: str, old: str) -> None:
    with db.connection() as conn:
        add(conn, new, 0, ["b"])
        add(conn, old, 0, ["c"])


def test_who_has_not_seen_the_last_event_writes_nothing(calls_db: Postgres) -> None:
    name, other = stream(), stream()
    with calls_db.connection() as conn:
        add(conn, name, 0, ["a"])
    with pytest.raises(Conflict):
        write_both(calls_db, other, name)
    assert (parties(calls_db, name), parties(calls_db, other)) == (["a"], [])


def test_a_conflict_leaves_the_transaction_usable(calls_db: Postgres) -> None:
    name = stream()
    with calls_db.connection() as conn:
        add(conn, name, 0, ["a"])
        with pytest.raises(Conflict):
            add(conn, name, 0, ["b"])
        add(conn, name, 1, ["c"])
    assert parties(calls_db, name) == ["a", "c"]


@sized("optimistic")
def test_many_writers_of_one_stream_lose_no_update(size: Size, calls_db: Postgres) -> None:
    name = stream()

    def write(writer: int) -> None:
        for number in range(size.appends):
            while True:
                try:
                    with calls_db.connection() as conn:
                        seen = len(store.read(conn, [name])[name])
                        add(conn, name, seen, [f"{writer}.{number}"])
                    break
                except Conflict:
                    continue

    with ThreadPoolExecutor(size.writers) as pool:
        list(pool.map(write, range(size.writers)))
    with calls_db.connection() as conn:
        history = store.read(conn, [name])[name]
    assert [recorded.version for recorded in history] == list(range(1, size.writers * size.appends + 1))
    assert len({recorded.event for recorded in history}) == len(history)


def test_every_event_leaves_a_message_in_its_transaction(calls_db: Postgres) -> None:
    name = stream()
    with calls_db.connection() as conn:
        add(conn, name, 0, ["a", "b"])
    with calls_db.connection() as conn:
        add(conn, name, 2, ["c"])
        conn.execute("rollback")
    with calls_db.connection() as conn:
        rows = conn.execute("select key, correlation_id, body from outbox order by position").fetchall()
    assert [(key, about, json.loads(body)["version"]) for key, about, body in rows] == [
        ("party_rang", "trace", 1),
        ("party_rang", "trace", 2),
    ]


def test_the_relay_is_woken_after_the_commit_and_only_when_there_is_something(calls_db: Postgres, stack: Stack) -> None:
    with psycopg.connect(stack.env("calls")["DATABASE_URL"], autocommit=True) as listener:
        listener.execute("listen outbox")
        with calls_db.connection() as conn:
            conn.execute("select 1")
        assert list(listener.notifies(timeout=0.2)) == []
        with calls_db.connection() as conn:
            add(conn, stream(), 0, ["a"])
        assert len(list(listener.notifies(timeout=2, stop_after=1))) == 1


def test_two_writers_of_the_same_streams_in_opposite_order_do_not_wait_for_ever(calls_db: Postgres) -> None:
    names = [stream() for _ in range(20)]

    def lock(order: list[str]) -> None:
        for _ in range(20):
            with calls_db.connection() as conn:
                store.lock(conn, order)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lock, [names, names[::-1], names[10:] + names[:10], names]))


@pytest.mark.parametrize("forbidden", ["update events set tenant = 'x'", "delete from events", "truncate events"])
def test_nobody_but_the_owner_can_rewrite_history(calls_db: Postgres, stack: Stack, forbidden: str) -> None:
    for role in ("DATABASE_URL", "RO_DATABASE_URL"):
        with psycopg.connect(stack.env("calls")[role]) as conn, pytest.raises(psycopg.DatabaseError) as refused:
            conn.execute(forbidden)
        assert isinstance(refused.value, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction)


def test_a_commit_whose_bell_did_not_ring_is_still_a_commit(stack: Stack, calls_db: Postgres) -> None:
    line = Proxy(stack.env("calls")["DATABASE_URL"])
    db, name = Postgres(line.uri, 1), stream()
    db.open()

    def committed_then_cut(conn: object) -> None:
        line.cut()
        wake(conn)

    wake, db._wake_relay = db._wake_relay, committed_then_cut  # type: ignore[assignment, method-assign]
    with db.connection() as conn:
        add(conn, name, 0, ["a"])
    db.close()
    line.close()
    assert parties(calls_db, name) == ["a"]


def test_a_server_that_is_away_is_unavailable_within_two_seconds_and_found_again(stack: Stack) -> None:
    line = Proxy(stack.env("calls")["DATABASE_URL"])
    db = Postgres(line.uri, 2)
    db.open()
    with db.connection() as conn:
        conn.execute("select 1")
    line.cut()
    with pytest.raises(Unavailable), db.connection():
        pass
    line.resume()

    def is_back() -> bool:
        with suppress(Unavailable), db.connection() as conn:
            return conn.execute("select 1").fetchone() == (1,)
        return False

    eventually(is_back)
    db.close()
    line.close()


def test_an_outage_is_told_from_a_mistake(calls_db: Postgres, stack: Stack) -> None:
    with pytest.raises(psycopg.errors.AdminShutdown) as shut_down, calls_db.connection() as conn:
        conn.execute("select pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(psycopg.errors.UndefinedTable) as mistaken, calls_db.connection() as conn:
        conn.execute("select * from nowhere")
    assert (is_outage(shut_down.value), is_outage(mistaken.value)) == (True, False)


def test_a_transaction_that_fails_gives_its_connection_back(calls_db: Postgres) -> None:
    for _ in range(20):
        with pytest.raises(RuntimeError), calls_db.connection():
            raise RuntimeError("no")
    barrier = threading.Barrier(8)

    def use(_: int) -> None:
        with calls_db.connection():
            barrier.wait(5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
