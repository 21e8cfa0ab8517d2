"""Whoever asks, whatever they ask for, at any of the journal's doors: they are shown what the oracle shows, no more."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from services.gateway.domain.filters import Filters, Has, parse_search_text
from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account, Line
from services.gateway.domain.permissions import Caller
from services.gateway.domain.scope import Scope, scope_of
from services.gateway.domain.summary import summarise
from services.gateway.endpoints import export
from services.gateway.journal import change_feed, entries, page_query, projections, summary_query
from services.gateway.journal.rows import Row
from services.gateway.journal.spooled_ids import SpooledCallIds
from shared.contracts.calls.events import CallState, Forward
from shared.contracts.values import Direction, Phase, Role, Status
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway import oracle
from tests.integration.gateway.event_factories import (
    NOON,
    TENANT,
    call_id,
    call_message,
    comment_message,
    recording_message,
    state,
)
from tests.integration.gateway.test_queries import ADDRESSES, COMMENTS, OTHER, TEXTS, minute, people  # noqa: F401
from tests.sizes import Size, sized

OURS, THEIRS = 80, 30
PER_WORLD = 500
STATUSES = [Status.ANSWERED, Status.MISSED, Status.MISSED_OFFLINE, Status.RETURNED, Status.RINGING]
LEADERS = {Role.ADMINISTRATOR, Role.SUPERVISOR}


class World(NamedTuple):
    ours: Sequence[CallState]
    directory: oracle.Directory
    chance: Random

    def shown(self, caller: Caller, filters: Filters) -> list[UUID]:
        """What the oracle shows, by the words of the roles."""
        leads = isinstance(caller, ApiKey) or caller.role in LEADERS
        scope = Scope(tenant=TENANT, lines=None if leads or isinstance(caller, ApiKey) else caller.lines)
        return oracle.page(self.ours, scope, filters, self.directory)


def some(chance: Random, values: Sequence[Any], most: int) -> list[Any]:
    return chance.sample(list(values), chance.randint(0, most))


def call(chance: Random, name: str) -> CallState:
    talk = chance.choice([None, *range(4)])
    return state(
        name,
        placed_at=minute(chance.randint(0, 9)),
        direction=chance.choice(list(Direction)),
        status=chance.choice(STATUSES),
        phase=chance.choice(list(Phase)),
        caller=chance.choice(["", *ADDRESSES]),
        callee=chance.choice(ADDRESSES),
        rung=some(chance, ADDRESSES, 2),
        answered_by=some(chance, ADDRESSES, 1),
        forwarded=[Forward(to=to, line=None, at=NOON) for to in some(chance, ADDRESSES, 1)],
        talk_time=None if talk is None else timedelta(minutes=talk),
    )


def line(chance: Random) -> Line:
    first = chance.choice([None, *range(10)])
    until = chance.choice([None, minute((first or 0) + chance.randint(1, 5))])
    held_from = None if first is None else minute(first)
    return Line(id=uuid4(), address=chance.choice(ADDRESSES), held_from=held_from, held_until=until)


def who(chance: Random) -> Caller:
    role = chance.choice([*Role, Role.OPERATOR, Role.OPERATOR, KeyKind.EXPORT])
    if role is KeyKind.EXPORT:
        return ApiKey(id=uuid4(), tenant=TENANT, kind=role)
    lines = tuple(line(chance) for _ in range(chance.randint(0, 3)))
    return Account(id=uuid4(), tenant=TENANT, login="x", name="x", role=Role(role), lines=lines)


def several(chance: Random, values: Any) -> frozenset[Any]:
    return frozenset(chance.sample(list(values), chance.randint(1, 2)))


ASKED: dict[str, Callable[[Random], Any]] = {
    "placed_from": lambda chance: minute(chance.randint(0, 9)),
    "placed_to": lambda chance: minute(chance.randint(0, 9)),
    "directions": lambda chance: several(chance, Direction),
    "statuses": lambda chance: several(chance, STATUSES),
    "phases": lambda chance: several(chance, Phase),
    "party": lambda chance: chance.choice(ADDRESSES),
    "lines": lambda chance: tuple(line(chance) for _ in range(chance.randint(0, 2))),
    "text": lambda chance: parse_search_text(chance.choice(TEXTS), "UA"),
    "has": lambda chance: several(chance, [Has.CALLBACK, Has.COMMENT, Has.RECORDING]),
    "min_talk": lambda chance: timedelta(minutes=chance.randint(0, 3)),
    "max_talk": lambda chance: timedelta(minutes=chance.randint(0, 3)),
}


def asked(chance: Random) -> Filters:
    return Filters(**{name: ASKED[name](chance) for name in some(chance, sorted(ASKED), 2)})


def walked(conn: Connection, scope: Scope, filters: Filters, limit: int) -> Iterator[Row]:
    cursor = None
    while True:
        page = page_query.get_page(conn, scope, filters, limit, cursor)
        yield from page.rows
        if (cursor := page.older) is None:
            return


def ask_list(conn: Connection, world: World) -> None:
    caller, filters = who(world.chance), asked(world.chance)
    rows = walked(conn, scope_of(caller), filters, world.chance.randint(20, 200))
    assert [UUID(row.call_id) for row in rows] == world.shown(caller, filters)


def ask_export(conn: Connection, world: World) -> None:
    caller, filters = who(world.chance), asked(world.chance)
    with closing(SpooledCallIds(page_query.iterate_call_ids(conn, scope_of(caller), filters))) as found:
        rows = [row for ids in found.pages(export.PAGE) for row in page_query.get_calls(conn, scope_of(caller), ids)]
    shown = entries.build_entries(conn, TENANT, rows)
    assert [UUID(entry["call_id"]) for entry in shown] == world.shown(caller, filters)


def ask_summary(conn: Connection, world: World) -> None:
    caller, filters = who(world.chance), asked(world.chance)
    expected = set(world.shown(caller, filters))
    calls = [call for call in world.ours if call.call_id in expected]
    found = summarise(summary_query.count_calls(conn, scope_of(caller), filters))
    assert found["total"] == len(calls)
    assert {name: count for name, count in found["by_status"].items() if count} == Counter(
        str(call.status) for call in calls
    )
    assert found["internal"] == sum(call.direction is Direction.INTERNAL for call in calls)
    talked = sum((call.talk_time for call in calls if call.talk_time), timedelta())
    assert found["talk_seconds"] == f"{talked.total_seconds():.3f}"


def ask_stream(conn: Connection, world: World) -> None:
    """Three listen at once."""
    callers, filters = [who(world.chance) for _ in range(3)], asked(world.chance)
    last = change_feed.last_feed_numbers(conn, [TENANT])[TENANT]
    changes = change_feed.get_changes(conn, [scope_of(caller) for caller in callers], filters, 0, last)
    for number, caller in enumerate(callers):
        told_ = [UUID(change.row.call_id) for change in changes if number in change.visible_to]
        assert sorted(told_) == sorted(world.shown(caller, filters))


@sized("R51")
@pytest.mark.parametrize("ask", [ask_list, ask_summary, ask_stream, ask_export])
def test_no_read_returns_a_call_outside_the_scope(
    gateway_db: Postgres,
    people: oracle.Directory,  # noqa: F811
    ask: Callable[[Connection, World], None],
    size: Size,
):
    questions = size.questions // 4
    for seed in range(0, questions, PER_WORLD):
        chance = Random(seed)
        ours = [call(chance, f"ours {n}") for n in range(OURS)]
        theirs = [call(chance, f"theirs {n}") for n in range(THEIRS)]
        with gateway_db.connection() as conn, conn.transaction(force_rollback=True):
            projections.project(conn, [call_message(one) for one in ours])
            projections.project(conn, [call_message(one, tenant=OTHER) for one in (*theirs, *ours)])
            comments = {f"ours {n}": chance.choice(COMMENTS) for n in range(0, OURS, 3)}
            projections.project(conn, [comment_message(name, text) for name, text in comments.items()])
            projections.project(
                conn, [comment_message(f"theirs {n}", COMMENTS[0], tenant=OTHER) for n in range(THEIRS)]
            )
            recordings = [f"ours {n}" for n in range(0, OURS, 4)]
            projections.project(conn, [recording_message(name) for name in recordings])
            projections.project(conn, [recording_message(f"theirs {n}", tenant=OTHER) for n in range(THEIRS)])
            directory = people._replace(
                comments={call_id(name): text for name, text in comments.items()},
                recordings=frozenset(map(call_id, recordings)),
            )
            for _ in range(min(questions, PER_WORLD)):
                ask(conn, World(ours, directory, chance))
