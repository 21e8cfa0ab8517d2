"""What the owners tell becomes rows: once, whatever the order, and numbered as it is committed."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from services.gateway.journal import heartbeats, projections
from shared.contracts.calls.events import Forward
from shared.contracts.errors import Invalid
from shared.contracts.values import Phase, Status
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway.event_factories import (
    COMPANY,
    NOON,
    NUMBER,
    TENANT,
    Message,
    call_id,
    call_message,
    heartbeat_message,
    project_messages,
    project_states,
    rows,
    state,
)

PLACED = state(
    status=Status.CONNECTING,
    phase=Phase.CONNECTING,
    rung=[],
    answered_by=[],
    ringing_at=None,
    answered_at=None,
    ended_at=None,
    wait_time=None,
    talk_time=None,
    ended_by=None,
    cause=None,
)
RINGING = replace(PLACED, status=Status.RINGING, phase=Phase.RINGING, rung=["101", "102"])
ENDED = state(rung=["101", "102"])
LIFE = [call_message(PLACED, 1), call_message(RINGING, 2), call_message(ENDED, 3)]


def kept(db: Postgres) -> tuple[Any, ...]:
    return rows(db, "journal"), rows(db, "journal_parties"), rows(db, "journal_addresses", "1, 2")


def parties(db: Postgres) -> dict[str, bool]:
    return {party["address"]: party["own"] for party in rows(db, "journal_parties")}


def feed(db: Postgres) -> dict[Any, int]:
    return {row["call_id"]: row["feed"] for row in rows(db, "journal_feed")}


def test_every_order_and_duplication_in_any_batches_gives_the_same_rows(gateway_db: Postgres):
    project_messages(gateway_db, *LIFE)
    expected = kept(gateway_db)
    for order in permutations(LIFE):
        again = [*order, random.choice(LIFE)]
        for cut in range(len(again)):
            with gateway_db.connection() as conn:
                conn.execute("delete from journal")
                conn.execute("delete from journal_parties")
            project_messages(gateway_db, *again[:cut])
            project_messages(gateway_db, *again[cut:])
            assert kept(gateway_db) == expected


def test_the_row_has_all_values_of_the_message(gateway_db: Postgres):
    project_messages(gateway_db, call_message(ENDED, 3))
    [row] = rows(gateway_db, "journal")
    about = {"tenant": TENANT, "version": 3, "correlation_id": "about 3"}
    for name, value in about.items():
        assert row.pop(name) == value
    # Recorded at noon, more than a minute before its end: the clock that told of it is off.
    assert row.pop("price_due_at") == NOON + timedelta(seconds=300)
    assert row == {name: getattr(ENDED, name) for name in row}


def test_the_row_follows_the_phases_of_a_call(gateway_db: Postgres):
    for message, phase in zip(LIFE, ["connecting", "ringing", "ended"], strict=True):
        project_messages(gateway_db, message)
        [row] = rows(gateway_db, "journal")
        assert row["phase"] == phase


def test_a_late_message_changes_nothing_and_gets_no_feed_number(gateway_db: Postgres):
    project_messages(gateway_db, LIFE[2])
    before = kept(gateway_db), feed(gateway_db)
    project_messages(gateway_db, LIFE[0], LIFE[1])
    project_messages(gateway_db, LIFE[2])
    assert (kept(gateway_db), feed(gateway_db)) == before


def test_a_call_without_a_placed_event_is_not_listed(gateway_db: Postgres):
    unplaced = state(placed_at=None, direction=None, caller=None, callee=None, wait_time=None)
    project_messages(gateway_db, call_message(unplaced, 1))
    assert kept(gateway_db) == ([], [], [])
    project_messages(gateway_db, call_message(state(), 2))
    assert len(rows(gateway_db, "journal")) == 1


def test_caller_answerer_and_rung_parties_own_a_call(gateway_db: Postgres):
    forward = Forward(to="+380670000000", line=None, at=NOON)
    project_states(gateway_db, [state(rung=["101", "102"], offline=["103"], forwarded=[forward])])
    assert parties(gateway_db) == {NUMBER: True, "101": True, "102": True, COMPANY: False, "+380670000000": False}


def test_who_called_and_was_called_is_one_party(gateway_db: Postgres):
    project_states(gateway_db, [state(caller="101", callee="101", rung=[], answered_by=[])])
    assert parties(gateway_db) == {"101": True}


def test_a_withheld_number_is_no_party(gateway_db: Postgres):
    project_states(gateway_db, [state(caller="")])
    assert set(parties(gateway_db)) == {"101", COMPANY}


def test_a_correction_removes_former_participants(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state(rung=["101", "102"]), 1))
    project_messages(gateway_db, call_message(state(rung=["103"], answered_by=["103"]), 2))
    assert parties(gateway_db) == {NUMBER: True, "103": True, COMPANY: False}


def test_a_correction_of_the_time_moves_the_row_and_its_parties(gateway_db: Postgres):
    earlier = NOON - timedelta(days=1)
    project_messages(gateway_db, call_message(state(), 1))
    project_messages(gateway_db, call_message(state(placed_at=earlier), 2))
    moved = rows(gateway_db, "journal") + rows(gateway_db, "journal_parties")  # type: ignore[operator]
    assert {row["placed_at"] for row in moved} == {earlier}


def test_the_same_call_of_two_companies_is_two_calls(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state(), 1, "oselia"), call_message(state(), 2, "krynytsia"))
    assert [(row["tenant"], row["version"]) for row in rows(gateway_db, "journal")] == [("krynytsia", 2), ("oselia", 1)]


def test_each_change_gets_the_next_feed_number_of_its_company(gateway_db: Postgres):
    project_states(gateway_db, [state(1), state(2)])
    project_states(gateway_db, [state(1)], tenant="krynytsia")
    project_messages(gateway_db, call_message(state(1), 2), call_message(state(3), 1))
    numbers = feed(gateway_db)
    last = max(numbers.values())
    assert numbers[call_id(2)] in {last - 3, last - 2}
    assert {numbers[call_id(1)], numbers[call_id(3)]} == {last - 1, last}
    assert [row["last"] for row in rows(gateway_db, "journal_feeds", "1") if row["tenant"] == TENANT] == [last]


def test_a_rebuilt_feed_continues_above_all_earlier_numbers(gateway_db: Postgres):
    project_states(gateway_db, [state(n) for n in range(9)])
    before = max(feed(gateway_db).values())
    with gateway_db.connection() as conn:
        for table in ("journal", "journal_feed", "journal_feeds"):
            conn.execute(f"delete from {table}")
    project_states(gateway_db, [state(1)])
    assert feed(gateway_db)[call_id(1)] > before


@dataclass
class Counting:
    """A connection that counts what it is told to do."""

    conn: Connection
    statements: int = 0

    def execute(self, *words: Any) -> Any:
        self.statements += 1
        return self.conn.execute(*words)


def test_five_hundred_events_need_as_many_statements_as_one(gateway_db: Postgres):
    counts = []
    for facts in (1, 500):
        with gateway_db.connection() as conn:
            counting = Counting(conn)
            projections.project(counting, [call_message(state(f"{facts} {n}")) for n in range(facts)])
        counts.append(counting.statements)
    assert counts[0] == counts[1] <= 6


def test_feed_numbers_follow_the_order_of_concurrent_commits(gateway_db: Postgres):
    """A reader that keeps asking for what is after the last number it has seen misses no call."""
    stopped, seen = threading.Event(), dict[Any, int]()
    writers = [threading.Thread(target=_write, args=(gateway_db, writer)) for writer in range(4)]
    reader = threading.Thread(target=_read, args=(gateway_db, seen, stopped))
    for thread in [*writers, reader]:
        thread.start()
    for writer in writers:
        writer.join()
    stopped.set()
    reader.join()
    assert seen == feed(gateway_db)
    assert len(seen) == 30


def _write(db: Postgres, writer: int) -> None:
    chance = random.Random(writer)
    for turn in range(15):
        names = chance.sample(range(30), 8) if turn else list(range(30))
        project_messages(db, *(call_message(state(name), 1 + turn * 4 + writer) for name in names))


def _read(db: Postgres, seen: dict[Any, int], stopped: threading.Event) -> None:
    last, over = 0, False
    while not over:
        over = stopped.is_set()
        with db.connection() as conn:
            changed = conn.execute("select call_id, feed from journal_feed where feed > %s order by feed", (last,))
            for call, number in changed:
                seen[call], last = number, number


def test_two_projectors_of_the_same_calls_do_not_deadlock(gateway_db: Postgres):
    """The parties of the newer version stay, though the older one was being written at the same time."""
    older, newer = call_message(state(rung=["101", "102"]), 1), call_message(state(rung=["103"], answered_by=[]), 2)
    with gateway_db.connection() as conn:
        projections.project(conn, [older])
        late = threading.Thread(target=project_messages, args=(gateway_db, newer))
        late.start()
        _wait_until_blocked(conn)
    late.join()
    assert parties(gateway_db) == {NUMBER: True, "103": True, COMPANY: False}


def _wait_until_blocked(conn: Connection) -> None:
    while not conn.execute("select 1 from pg_locks where not granted").fetchone():
        pass


def broken(**changed: Any) -> Message:
    good = call_message(state())
    return Message({**good.body, **changed}, good.key)


@pytest.mark.parametrize(
    "message",
    [
        Message("words", "call_placed"),
        Message({}, "call_placed"),
        broken(version="three"),
        broken(state={}),
        broken(state={**call_message(state()).body["state"], "status": "lost"}),
        broken(tenant=None),
        Message({"type": "heartbeat"}, "heartbeat"),
    ],
)
def test_a_malformed_message_is_refused_and_nothing_is_written(gateway_db: Postgres, message: Message):
    with pytest.raises(Invalid):
        project_messages(gateway_db, call_message(state(7)), message)
    assert rows(gateway_db, "journal") == []


def latest_heartbeats(db: Postgres) -> Any:
    with db.connection() as conn:
        return heartbeats.latest(conn)


def test_heartbeats_in_any_order_leave_the_latest(gateway_db: Postgres):
    beats: Sequence[Message] = [heartbeat_message(NOON + timedelta(seconds=n), float(n)) for n in range(3)]
    for order in permutations(beats):
        project_messages(gateway_db, *order[:2])
        project_messages(gateway_db, order[2])
        assert latest_heartbeats(gateway_db) == {"calls": (NOON + timedelta(seconds=2), 2.0)}


def test_a_projector_of_the_previous_release_still_records_heartbeats(gateway_db: Postgres):
    with gateway_db.connection() as conn:
        for seconds in (2, 1):
            conn.execute(
                """
                insert into owners (owner, said_at, outbox_age) values ('calls', %(at)s, 0.5)
                    on conflict (owner) do update set said_at = excluded.said_at, outbox_age = excluded.outbox_age
                 where owners.said_at < excluded.said_at
                """,
                {"at": NOON + timedelta(seconds=seconds)},
            )
    assert latest_heartbeats(gateway_db) == {"calls": (NOON + timedelta(seconds=2), 0.5)}
