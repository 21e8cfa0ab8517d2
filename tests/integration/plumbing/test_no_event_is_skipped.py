"""However transactions interleave, commit late or not at all, and however often the relay dies: none is skipped."""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest

from shared.plumbing import store
from shared.plumbing.database import Postgres
from tests.integration.plumbing.facts import add, stream
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Services, Stack

QUEUE = "gateway.journal"
HELD, ROLLED_BACK = 0.01, 0.1
LONGEST_HOLD = 0.2
Place = tuple[str, int]


class ChangedOurMind(Exception):
    """This transaction is rolled back."""


@pytest.fixture
def db(stack: Stack, calls_db: Postgres) -> Iterator[Postgres]:
    """Room for sixteen writers."""
    postgres = Postgres(stack.env("calls")["DATABASE_URL"], 20)
    postgres.open()
    yield postgres
    postgres.close()


def write(db: Postgres, size: Size) -> None:
    """Many writers on a few streams, some slow to commit, some not committing."""
    streams = [stream() for _ in range(size.writers)]

    def work(writer: int) -> None:
        dice = random.Random(writer)
        for number in range(size.events // size.writers):
            with suppress(ChangedOurMind), db.connection() as conn:
                name = dice.choice(streams)
                store.lock(conn, [name])
                [(seen,)] = conn.execute("select count(*) from events where stream = %s", (name,)).fetchall()
                add(conn, name, seen, ["a"])
                if dice.random() < HELD or number == 3:
                    time.sleep(dice.random() * LONGEST_HOLD)
                if dice.random() < ROLLED_BACK:
                    raise ChangedOurMind

    with ThreadPoolExecutor(size.writers) as pool:
        list(pool.map(work, range(size.writers)))


def committed(db: Postgres) -> set[Place]:
    with db.connection() as conn:
        return set(conn.execute("select stream, version from events").fetchall())


def place(body: str) -> Place:
    told = json.loads(body)
    return told["stream"], told["version"]


@sized("R40")
def test_a_relay_that_is_killed_again_and_again_skips_and_disorders_nothing(
    size: Size, db: Postgres, broker: Broker, services: Services
) -> None:
    arrived: list[Place] = []

    def relay_and_kill() -> None:
        for _ in range(size.kills):
            relay = services.start("services.calls.service:CallsRelay", of="calls")
            time.sleep(random.random() * 0.3)
            relay.kill()

    def take() -> None:
        arrived.extend(place(one.body) for one in broker.take(QUEUE) if one.delivery_info["routing_key"] != "heartbeat")

    killer = threading.Thread(target=relay_and_kill)
    killer.start()
    while killer.is_alive():
        write(db, size)
        take()
    services.start("services.calls.service:CallsRelay", of="calls")
    deadline = time.monotonic() + 10 + size.events / 500
    while set(arrived) < committed(db) and time.monotonic() < deadline:
        take()
        time.sleep(0.2)
    assert set(arrived) == committed(db)
    first_heard = defaultdict(list)
    for name, version in dict.fromkeys(arrived):
        first_heard[name].append(version)
    assert all(versions == sorted(versions) for versions in first_heard.values())


@sized("R40")
def test_a_naive_cursor_would_have_skipped_some(size: Size, db: Postgres, stack: Stack) -> None:
    with naive_reader(stack) as seen:
        write(db, size)
    assert seen < committed(db)


@contextmanager
def naive_reader(stack: Stack) -> Iterator[set[Place]]:
    """What one finds who asks for what has a greater position than the last that he has seen."""
    seen, over, last = set[Place](), threading.Event(), 0

    def read() -> None:
        nonlocal last
        with psycopg.connect(stack.env("calls")["DATABASE_URL"], autocommit=True) as conn:
            while True:
                was_over = over.is_set()
                query = "select position, body from outbox where position > %s order by position limit 500"
                rows = conn.execute(query, (last,)).fetchall()
                if not rows and was_over:
                    return
                seen.update(place(body) for _, body in rows)
                last = rows[-1][0] if rows else last
                time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    yield seen
    over.set()
    reader.join()
