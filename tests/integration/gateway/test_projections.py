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
    heartbeat,
    rows,
    show,
    show_states,
    state,
    told,
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
LIFE = [told(PLACED, 1), told(RINGING, 2), told(ENDED, 3)]


def kept(db: Postgres) -> tuple[Any, ...]:
    return rows(db, "journal"), rows(db, "journal_parties"), rows(db, "journal_addresses", "1, 2")


def parties(db: Postgres) -> dict[str, bool]:
    return {party["address"]: party["own"] for party in rows(db, "journal_parties")}


def feed(db: Postgres) -> dict[Any, int]:
    return {row["call_id"]: row["feed"] for row in rows(db, "journal_feed")}


def test_every_order_and_duplication_in_any_batches_gives_the_same_rows(gateway_db: Postgres):
    show(gateway_db, *LIFE)
    expected = kept(gateway_db)
    for order in permutations(LIFE):
        again = [*order, random.choice(LIFE)]
        for cut in range(len(again)):
            with gateway_db.connection() as conn:
                conn.execute("delete from journal")
                conn.execute("delete from journal_parties")
            show(gateway_db, *again[:cut])
            show(gateway_db, *again[cut:])
            assert kept(gateway_db) == expected


def test_the_row_says_all_that_was_told(gateway_db: Postgres):
    show(gateway_db, told(ENDED, 3))
    [row] = rows(gateway_db, "journal")
    about = {"tenant": TENANT, "version": 3, "correlation_id": "about 3"}
    for name, value in about.items():
        assert row.pop(name) == value
    # Recorded at noon, more than a minute before its end: the clock that told of it is off.
    assert row.pop("price_due_at") == NOON + timedelta(seconds=300)
    assert row == {name: getattr(ENDED, name) for name in row}


def test_the_row_follows_the_life_of_a_call(gateway_db: Postgres):
    for message, phase in zip(LIFE, ["connecting", "ringing", "ended"], strict=True):
        show(gateway_db, message)
        [row] = rows(gateway_db, "journal")
        assert row["phase"] == phase


def test_late_news_changes_nothing_and_has_no_number(gateway_db: Postgres):
    show(gateway_db, LIFE[2])
    before = kept(gateway_db), feed(gateway_db)
    show(gateway_db, LIFE[0], LIFE[1])
    show(gateway_db, LIFE[2])
    assert (kept(gateway_db), feed(gateway_db)) == before


def test_a_call_that_is_not_placed_yet_is_not_shown(gateway_db: Postgres):
    unplaced = state(placed_at=None, direction=None, caller=None, callee=None, wait_time=None)
    show(gateway_db, told(unplaced, 1))
    assert kept(gateway_db) == ([], [], [])
    show(gateway_db, told(state(), 2))
    assert len(rows(gateway_db, "journal")) == 1


def test_a_call_is_its_callers_answerers_and_rung_parties_own(gateway_db: Postgres):
    forward = Forward(to="+380670000000", line=None, at=NOON)
    show_states(gateway_db, [state(rung=["101", "102"], offline=["103"], forwarded=[forward])])
    assert parties(gateway_db) == {NUMBER: True, "101": True, "102": True, COMPANY: False, "+380670000000": False}


def test_who_called_and_was_called_is_one_party(gateway_db: Postgres):
    show_states(gateway_db, [state(caller="101", callee="101", rung=[], answered_by=[])])
    assert parties(gateway_db) == {"101": True}


def test_a_withheld_number_is_no_party(gateway_db: Postgres):
    show_states(gateway_db, [state(caller="")])
    assert set(parties(gateway_db)) == {"101", COMPANY}


def test_a_correction_takes_away_who_did_not_take_part(gateway_db: Postgres):
    show(gateway_db, told(state(rung=["101", "102"]), 1))
    show(gateway_db, told(state(rung=["103"], answered_by=["103"]), 2))
    assert parties(gateway_db) == {NUMBER: True, "103": True, COMPANY: False}


def test_a_correction_of_the_time_moves_the_row_and_its_parties(gateway_db: Postgres):
    earlier = NOON - timedelta(days=1)
    show(gateway_db, told(state(), 1))
    show(gateway_db, told(state(placed_at=earlier), 2))
    moved = rows(gateway_db, "journal") + rows(gateway_db, "journal_parties")  # type: ignore[operator]
    assert {row["placed_at"] for row in moved} == {earlier}


def test_the_same_call_of_two_companies_is_two_calls(gateway_db: Postgres):
    show(gateway_db, told(state(), 1, "oselia"), told(state(), 2, "krynytsia"))
    assert [(row["tenant"], row["version"]) for row in rows(gateway_db, "journal")] == [("krynytsia", 2), ("oselia", 1)]


def test_each_change_takes_the_companys_next_number(gateway_db: Postgres):
    show_states(gateway_db, [state(1), state(2)])
    show_states(gateway_db, [state(1)], tenant="krynytsia")
    show(gateway_db, told(state(1), 2), told(state(3), 1))
    numbers = feed(gateway_db)
    last = max(numbers.values())
    assert numbers[call_id(2)] in {last - 3, last - 2}
    assert {numbers[call_id(1)], numbers[call_id(3)]} == {last - 1, last}
    assert [row["last"] for row in rows(gateway_db, "journal_feeds", "1") if row["tenant"] == TENANT] == [last]


def test_a_feed_that_is_made_again_goes_on_above_all_its_numbers(gateway_db: Postgres):
    show_states(gateway_db, [state(n) for n in range(9)])
    before = max(feed(gateway_db).values())
    with gateway_db.connection() as conn:
        for table in ("journal", "journal_feed", "journal_feeds"):
            conn.execute(f"delete from {table}")
    show_states(gateway_db, [state(1)])
    assert feed(gateway_db)[call_id(1)] > before


@dataclass
class Counting:
    """A connection that counts what it is told to do."""

    conn: Connection
    statements: int = 0

    def execute(self, *words: Any) -> Any:
        self.statements += 1
        return self.conn.execute(*words)


def test_five_hundred_facts_cost_as_many_statements_as_one(gateway_db: Postgres):
    counts = []
    for facts in (1, 500):
        with gateway_db.connection() as conn:
            counting = Counting(conn)
            projections.project(counting, [told(state(f"{facts} {n}")) for n in range(facts)])
        counts.append(counting.statements)
    assert counts[0] == counts[1] <= 6


def test_numbers_follow_the_order_of_commits_when_many_write(gateway_db: Postgres):
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
        show(db, *(told(state(name), 1 + turn * 4 + writer) for name in names))


def _read(db: Postgres, seen: dict[Any, int], stopped: threading.Event) -> None:
    last, over = 0, False
    while not over:
        over = stopped.is_set()
        with db.connection() as conn:
            changed = conn.execute("select call_id, feed from journal_feed where feed > %s order by feed", (last,))
            for call, number in changed:
                seen[call], last = number, number


def test_two_projectors_that_change_the_same_calls_both_end(gateway_db: Postgres):
    """The parties of the newer version stay, though the older one was being written at the same time."""
    older, newer = told(state(rung=["101", "102"]), 1), told(state(rung=["103"], answered_by=[]), 2)
    with gateway_db.connection() as conn:
        projections.project(conn, [older])
        late = threading.Thread(target=show, args=(gateway_db, newer))
        late.start()
        _wait_until_blocked(conn)
    late.join()
    assert parties(gateway_db) == {NUMBER: True, "103": True, COMPANY: False}


def _wait_until_blocked(conn: Connection) -> None:
    while not conn.execute("select 1 from pg_locks where not granted").fetchone():
        pass


def broken(**changed: Any) -> Message:
    good = told(state())
    return Message({**good.body, **changed}, good.key)


@pytest.mark.parametrize(
    "message",
    [
        Message("words", "call_placed"),
        Message({}, "call_placed"),
        broken(version="three"),
        broken(state={}),
        broken(state={**told(state()).body["state"], "status": "lost"}),
        broken(tenant=None),
        Message({"type": "heartbeat"}, "heartbeat"),
    ],
)
def test_what_is_malformed_is_refused_and_nothing_is_written(gateway_db: Postgres, message: Message):
    with pytest.raises(Invalid):
        show(gateway_db, told(state(7)), message)
    assert rows(gateway_db, "journal") == []


def heard(db: Postgres) -> Any:
    with db.connection() as conn:
        return heartbeats.latest(conn)


def test_the_last_heartbeat_is_remembered_in_whatever_order_they_come(gateway_db: Postgres):
    beats: Sequence[Message] = [heartbeat(NOON + timedelta(seconds=n), float(n)) for n in range(3)]
    for order in permutations(beats):
        show(gateway_db, *order[:2])
        show(gateway_db, order[2])
        assert heard(gateway_db) == {"calls": (NOON + timedelta(seconds=2), 2.0)}
