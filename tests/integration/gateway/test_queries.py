"""Whoever asks and whatever they filter by: the pages are those of the oracle, and no foreign call is in them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.directory import repository
from services.gateway.domain.filters import Filters, Has, parse_search_text
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope
from services.gateway.journal import page_query, participants, projections
from shared.contracts.calls.events import CallState, Forward
from shared.contracts.errors import NotFound
from shared.contracts.values import Direction, Phase, Status
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway import oracle
from tests.integration.gateway.event_factories import (
    NOON,
    TENANT,
    call_id,
    call_message,
    comment_message,
    project_states,
    recording_message,
    state,
)

OTHER = "krynytsia"
EXAMPLES = 30
NUMBERS = ["+380501112233", "+380671112233", "+380443303018"]
ADDRESSES = ["101", "102", *NUMBERS, "sip:Olha@pbx"]
TEXTS = [
    "101",
    "1",
    "050 111",
    "111-22",
    "кат",
    "ВЛАСОВА",
    "зінов'",
    "0%",
    "_",
    "\\",
    "pbx",
    "ольга",
    "нема",
    "марта",
    "а",
]
COMMENTS = ["Передзвонити МАРТІ", "зінов'єва,\nолена\n101", "100% _ \\", "нема"]
PEOPLE = {"olha": "Ольга Кобилянська", "petro": "Петро Вовк"}
CONTACTS = {NUMBERS[0]: "Катерина Власова", NUMBERS[1]: "Марта Зінов’єва 100%"}
FOREIGN_CONTACTS = {NUMBERS[0]: "Марта Нема", NUMBERS[2]: "Марта Нема"}


def minute(number: int) -> Any:
    return NOON + timedelta(minutes=number)


TIMES = st.integers(0, 9).map(minute)
SOME = st.lists(st.sampled_from(ADDRESSES), max_size=3, unique=True)
TALKS = st.none() | st.integers(0, 3).map(lambda minutes: timedelta(minutes=minutes))
LINES = st.builds(
    lambda address, first, length: Line(
        id=uuid4(),
        address=address,
        held_from=None if first is None else minute(first),
        held_until=None if length is None else minute((first or 0) + length),
    ),
    st.sampled_from(ADDRESSES),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(1, 5),
)


@st.composite
def calls(draw: st.DrawFn, name: str) -> CallState:
    forwarded = [
        Forward(to=address, line=None, at=NOON) for address in draw(st.lists(SOME, max_size=1)) for address in address
    ]
    return state(
        name,
        placed_at=draw(TIMES),
        direction=draw(st.sampled_from(Direction)),
        status=draw(st.sampled_from([Status.ANSWERED, Status.MISSED, Status.RETURNED, Status.RINGING])),
        phase=draw(st.sampled_from(Phase)),
        caller=draw(st.sampled_from(["", *ADDRESSES])),
        callee=draw(st.sampled_from(ADDRESSES)),
        rung=draw(SOME),
        answered_by=draw(SOME),
        forwarded=forwarded,
        talk_time=draw(TALKS),
    )


def several(values: Any) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values), min_size=1, max_size=4)


ASKED: dict[str, st.SearchStrategy[Any]] = {
    "placed_from": TIMES,
    "placed_to": TIMES,
    "directions": several(Direction),
    "statuses": several([Status.ANSWERED, Status.MISSED, Status.RETURNED, Status.NO_ANSWER]),
    "phases": st.sampled_from(
        [{Phase.RINGING}, {Phase.TALKING, Phase.CONNECTING}, {Phase.ENDED}, {Phase.ENDED, Phase.RINGING}]
    ).map(frozenset),
    "party": st.sampled_from(ADDRESSES),
    "lines": st.lists(LINES, max_size=2).map(tuple),
    "text": st.sampled_from(TEXTS).map(lambda text: parse_search_text(text, "UA")),
    "has": st.sampled_from(
        [
            {Has.CALLBACK},
            {Has.COMMENT},
            {Has.RECORDING},
            {Has.CALLBACK, Has.COMMENT},
            {Has.COMMENT, Has.RECORDING},
            {Has.PRICE},
        ]
    ).map(frozenset),
    "min_talk": TALKS,
    "max_talk": TALKS,
}
SCOPES = st.none() | st.lists(LINES, max_size=3).map(tuple) | st.lists(LINES, min_size=1, max_size=3).map(tuple)


@st.composite
def filters(draw: st.DrawFn, always: str | None) -> Filters:
    """Few at once: of too many together none would ever leave a call."""
    names = draw(st.sets(st.sampled_from(sorted(ASKED)), max_size=2)) | ({always} if always else set())
    return Filters(**{name: draw(ASKED[name]) for name in sorted(names)})


class World(NamedTuple):
    ours: Sequence[CallState]
    theirs: Sequence[CallState]
    comments: Mapping[str, str]
    recordings: Set[str]
    scope: Scope
    filters: Filters
    limit: int


@st.composite
def worlds(draw: st.DrawFn, asked: st.SearchStrategy[Filters]) -> World:
    ours = [draw(calls(f"ours {number}")) for number in range(draw(st.integers(3, 10)))]
    theirs = [draw(calls(f"theirs {number}")) for number in range(draw(st.integers(0, 3)))]
    names = [f"ours {number}" for number in range(len(ours))]
    comments = draw(st.dictionaries(st.sampled_from(names), st.sampled_from(COMMENTS), max_size=4))
    recordings = draw(st.sets(st.sampled_from(names), max_size=4))
    scope = Scope(tenant=TENANT, lines=draw(SCOPES))
    return World(ours, theirs, comments, recordings, scope, draw(asked), draw(st.integers(1, 5)))


@pytest.fixture
def people(gateway_db: Postgres) -> oracle.Directory:
    """101 was Olha's until the fifth minute, then it was Petro's; 102 is Petro's since then, too."""
    with gateway_db.connection() as conn:
        for tenant in (TENANT, OTHER):
            repository.ensure_tenant(conn, tenant, tenant)
            for number, name in (CONTACTS if tenant == TENANT else FOREIGN_CONTACTS).items():
                repository.ensure_contact(conn, tenant, number, name)
        foreign = repository.ensure_account(conn, OTHER, "marta", "x", "Марта Нема", "operator")
        repository.ensure_line(conn, foreign, "102", None)
        ids = {
            login: repository.ensure_account(conn, TENANT, login, "x", name, "operator")
            for login, name in PEOPLE.items()
        }
        repository.ensure_line(conn, ids["olha"], "101", None)
        conn.execute("update lines set held_until = %s where account_id = %s", (minute(5), ids["olha"]))
        for address in ("101", "102"):
            repository.ensure_line(conn, ids["petro"], address, minute(5))
        held = [
            (line, PEOPLE[login]) for login, of in ids.items() for line in repository.account_lines(conn, TENANT, of)
        ]
    return oracle.Directory(held, CONTACTS)


def walk(conn: Connection, world: World) -> Iterator[page_query.Page]:
    page = page_query.get_page(conn, world.scope, world.filters, world.limit)
    yield page
    while page.older:
        page = page_query.get_page(conn, world.scope, world.filters, world.limit, page.older)
        yield page


def walk_back(conn: Connection, world: World, page: page_query.Page) -> Iterator[page_query.Page]:
    yield page
    while page.newer:
        page = page_query.get_page(conn, world.scope, world.filters, world.limit, page.newer)
        yield page


def ids(pages: Sequence[page_query.Page]) -> list[UUID]:
    return [UUID(row.call_id) for page in pages for row in page.rows]


def show_comments(conn: Connection, world: World) -> None:
    """Ours, one that was deleted, and comments on the same calls and on others in another company."""
    projections.project(conn, [comment_message(name, text) for name, text in world.comments.items()])
    deleted = [f"ours {number}" for number in range(len(world.ours)) if f"ours {number}" not in world.comments][:1]
    projections.project(conn, [comment_message(name, "Марта, ольга 101") for name in deleted])
    projections.project(conn, [comment_message(name, None, 2) for name in deleted])
    foreign = [*(f"ours {number}" for number in range(len(world.ours))), "theirs 0"]
    projections.project(conn, [comment_message(name, "Марта, ольга 101", tenant=OTHER) for name in foreign])


def show_recordings(conn: Connection, world: World) -> None:
    """As the comments."""
    others = [f"ours {number}" for number in range(len(world.ours)) if f"ours {number}" not in world.recordings]
    projections.project(conn, [recording_message(name) for name in sorted(world.recordings)])
    projections.project(conn, [recording_message(name, "deleted", 2) for name in others[:1]])
    projections.project(conn, [recording_message(name, tenant=OTHER) for name in (*others, "theirs 0")])


def hold_against_the_oracle(db: Postgres, people: oracle.Directory, asked: st.SearchStrategy[Filters]) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
    @given(worlds(asked))
    def holds(world: World) -> None:
        with db.connection() as conn, conn.transaction(force_rollback=True):
            projections.project(conn, [call_message(call) for call in world.ours])
            projections.project(conn, [call_message(call, tenant=OTHER) for call in (*world.theirs, *world.ours)])
            show_comments(conn, world)
            show_recordings(conn, world)
            comments = {call_id(name): text for name, text in world.comments.items()}
            recordings = frozenset(call_id(name) for name in world.recordings)
            known = people._replace(comments=comments, recordings=recordings)
            expected = oracle.page(world.ours, world.scope, world.filters, known)
            forward = list(walk(conn, world))
            assert ids(forward) == expected
            assert all(len(page.rows) == world.limit for page in forward[:-1])
            back = list(walk_back(conn, world, forward[-1]))
            assert ids(back[::-1]) == expected
            assert [page.newer for page in (forward[0], back[-1])] == [None, None]
            assert [bool(page.older) for page in back[1:]] == [True] * (len(back) - 1)

    holds()


@pytest.mark.parametrize("always", [None, *ASKED])
def test_the_pages_are_those_of_the_oracle(gateway_db: Postgres, people: oracle.Directory, always: str | None):
    hold_against_the_oracle(gateway_db, people, filters(always))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("max_matches", [participants.MAX_TEXT_MATCHES, 0])
def test_a_text_is_found_by_looking_addresses_up_and_by_looking_through_calls(
    gateway_db: Postgres, people: oracle.Directory, monkeypatch: pytest.MonkeyPatch, max_matches: int, text: str
):
    monkeypatch.setattr(participants, "MAX_TEXT_MATCHES", max_matches)
    hold_against_the_oracle(gateway_db, people, st.just(Filters(text=parse_search_text(text, "UA"))))


@pytest.mark.parametrize("always", ["text", "party", "has"])
def test_the_pages_are_the_same_when_lines_come_before_a_search(
    gateway_db: Postgres, people: oracle.Directory, monkeypatch: pytest.MonkeyPatch, always: str
):
    monkeypatch.setattr(participants, "MAX_CALLS_TO_LOOK_UP", 0)
    hold_against_the_oracle(gateway_db, people, filters(always))


def test_a_call_is_found_only_in_its_scope(gateway_db: Postgres):
    @settings(max_examples=EXAMPLES)
    @given(calls("one"), SCOPES)
    def holds(call: CallState, lines: tuple[Line, ...] | None) -> None:
        with gateway_db.connection() as conn, conn.transaction(force_rollback=True):
            projections.project(conn, [call_message(call)])
            scope = Scope(tenant=TENANT, lines=lines)
            if oracle.had_one_of(call, lines):
                assert page_query.get_call(conn, scope, call.call_id).call_id == str(call.call_id)
            else:
                with pytest.raises(NotFound):
                    page_query.get_call(conn, scope, call.call_id)

    holds()


def test_a_call_of_another_company_is_not_found(gateway_db: Postgres):
    project_states(gateway_db, [state()], tenant=OTHER)
    with gateway_db.connection() as conn, pytest.raises(NotFound):
        page_query.get_call(conn, Scope(tenant=TENANT, lines=None), call_id(0))


def test_new_calls_neither_repeat_nor_hide_others_on_later_pages(gateway_db: Postgres):
    everything = Scope(tenant=TENANT, lines=None)
    project_states(gateway_db, [state(number, placed_at=minute(number)) for number in range(6)])
    with gateway_db.connection() as conn:
        first = page_query.get_page(conn, everything, Filters(), 3)
    project_states(gateway_db, [state(number, placed_at=minute(number)) for number in (6, 7)])
    with gateway_db.connection() as conn:
        second = page_query.get_page(conn, everything, Filters(), 3, first.older)
    assert ids([first, second]) == [call_id(number) for number in (5, 4, 3, 2, 1, 0)]


def test_the_pages_before_the_first_are_the_newer_calls(gateway_db: Postgres):
    everything = Scope(tenant=TENANT, lines=None)
    project_states(gateway_db, [state(number, placed_at=minute(number)) for number in range(4)])
    with gateway_db.connection() as conn:
        older = page_query.get_page(conn, everything, Filters(), 2).older
        second = page_query.get_page(conn, everything, Filters(), 2, older)
    project_states(gateway_db, [state(9, placed_at=minute(9))])
    with gateway_db.connection() as conn:
        first = page_query.get_page(conn, everything, Filters(), 2, second.newer)
        since = page_query.get_page(conn, everything, Filters(), 2, first.newer)
    assert ids([first]) == [call_id(3), call_id(2)]
    assert (ids([since]), since.newer) == ([call_id(9)], None)
