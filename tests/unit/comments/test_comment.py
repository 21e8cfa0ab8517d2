"""Adding, editing and deleting a comment, and when each is rejected."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from services.comments.domain import comment as domain
from services.comments.domain.comment import DeleteComment, WriteComment
from shared.contracts.comments.events import CommentAdded, CommentDeleted, CommentEdited
from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected
from shared.contracts.event import Event
from shared.contracts.values import Role
from tests.support.spec import Spec

CALL, OLHA, PETRO, BOSS = UUID(int=1), UUID(int=11), UUID(int=12), UUID(int=13)
THEN = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
NOW = THEN + timedelta(minutes=1)
ROLES = {OLHA: Role.OPERATOR, PETRO: Role.OPERATOR, BOSS: Role.SUPERVISOR}
given = Spec(domain).given


def write(text: str, by: UUID = OLHA, seen: int | None = None, role: Role | None = None) -> WriteComment:
    return WriteComment(call_id=CALL, text=text, author_id=by, role=role or ROLES[by], seen=seen, at=NOW)


def delete(by: UUID = OLHA, role: Role | None = None) -> DeleteComment:
    return DeleteComment(call_id=CALL, author_id=by, role=role or ROLES[by], at=NOW)


def added(text: str, by: UUID = OLHA, at: datetime = NOW) -> CommentAdded:
    return CommentAdded(call_id=CALL, text=text, author_id=by, added_at=at)


def edited(text: str, by: UUID = OLHA, at: datetime = NOW) -> CommentEdited:
    return CommentEdited(call_id=CALL, text=text, author_id=by, edited_at=at)


def deleted(by: UUID = OLHA, at: datetime = NOW) -> CommentDeleted:
    return CommentDeleted(call_id=CALL, author_id=by, deleted_at=at)


def refused(command: Any, *events: Event) -> type[Exception]:
    with pytest.raises((Conflict, Invalid, NotFound, Rejected)) as refusal:
        given(*events).when(command).then_nothing()
    return refusal.type


def test_a_comment_may_have_two_hundred_cyrillic_letters():
    given().when(write("ї" * 200)).then(added("ї" * 200))


def test_a_longer_comment_is_invalid():
    assert refused(write("ї" * 201)) is Invalid


def test_writing_the_same_text_causes_no_event():
    given(added("так")).when(write("так")).then_nothing()


def test_writing_the_same_text_in_another_normal_form_causes_no_event():
    given(added("Їжак")).when(write("  І\u0308жак ")).then_nothing()


def test_the_author_may_edit_the_comment():
    given(added("так")).when(write("ні")).then(edited("ні"))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ACCOUNTANT])
def test_operators_and_accountants_may_not_change_a_comment_of_another_author(role: Role):
    for command in (write("ні", by=PETRO, role=role), delete(by=PETRO, role=role)):
        given(added("так", by=OLHA)).when(command).then_rejected("comment_of_another_author")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_supervisors_and_administrators_may_change_any_comment(role: Role):
    given(added("так")).when(write("ні", by=BOSS, role=role)).then(edited("ні", by=BOSS))
    given(added("так")).when(delete(by=BOSS, role=role)).then(deleted(by=BOSS))


def test_editing_a_comment_does_not_change_its_author():
    history = [added("так", by=OLHA), edited("ні", by=BOSS)]
    given(*history).when(write("може", by=OLHA)).then(edited("може", by=OLHA))
    given(added("так", by=BOSS), edited("ні", by=BOSS)).when(delete(by=PETRO)).then_rejected(
        "comment_of_another_author"
    )


def test_anybody_may_add_a_comment_after_one_was_deleted():
    given(added("так", by=OLHA), deleted()).when(write("ні", by=PETRO)).then(added("ні", by=PETRO))
    given(added("так"), deleted(), added("ні", by=PETRO)).when(write("так", by=OLHA)).then_rejected(
        "comment_of_another_author"
    )


@pytest.mark.parametrize("history", [[], [added("так"), deleted()]])
def test_deleting_without_a_comment_is_not_found(history: list[Event]):
    assert refused(delete(), *history) is NotFound


def test_an_edit_of_the_latest_version_is_accepted():
    given(added("так"), edited("ні")).when(write("може", seen=2)).then(edited("може"))


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_an_edit_of_another_version_is_a_conflict(seen: int):
    assert refused(write("може", seen=seen), added("так"), edited("ні")) is Conflict


def test_an_edit_of_an_old_version_is_a_conflict_even_with_the_same_text():
    assert refused(write("ні", seen=1), added("так"), edited("ні")) is Conflict
    given(added("так"), edited("ні")).when(write("ні", seen=2)).then_nothing()


def test_writing_the_same_text_needs_permission_to_edit():
    given(added("так", by=OLHA)).when(write("так", by=PETRO)).then_rejected("comment_of_another_author")


def test_version_zero_is_expected_where_there_is_no_comment():
    given().when(write("так", seen=0)).then(added("так"))
    given(added("так"), deleted()).when(write("ні", seen=0)).then(added("ні"))
    assert refused(write("ні", seen=1), added("так"), deleted()) is Conflict
    assert refused(write("ні", seen=1)) is Conflict


def test_a_conflict_is_reported_before_missing_permission():
    assert refused(write("ні", by=PETRO, seen=0), added("так", by=OLHA)) is Conflict


def test_the_state_has_the_author_and_the_time_of_the_last_change():
    state = domain.INITIAL
    for event in [added("так", at=THEN), edited("ні", by=BOSS, at=NOW)]:
        state = domain.evolve(state, event)
    published = domain.state(CALL, state)
    assert (published.text, published.author_id, published.created_at, published.updated_at) == ("ні", OLHA, THEN, NOW)


def test_the_state_of_a_deleted_comment_has_only_the_version():
    state = domain.evolve(domain.evolve(domain.INITIAL, added("так")), deleted())
    published = domain.state(CALL, state)
    assert (published.text, published.author_id, published.created_at, published.updated_at) == (None, None, None, None)
    assert state.version == 2


COMMANDS = st.one_of(
    st.builds(
        write,
        st.sampled_from(["так", "ні", "може"]),
        st.sampled_from(list(ROLES)),
        st.none() | st.integers(0, 6),
    ),
    st.builds(delete, st.sampled_from(list(ROLES))),
)


@for_any(st.lists(COMMANDS, max_size=12))
def test_each_event_changes_the_text_for_any_sequence_of_commands(commands: list[Any]):
    state = domain.INITIAL
    for command in commands:
        try:
            events = domain.decide(state, command)
        except (Conflict, NotFound, Rejected):
            continue
        assert len(events) <= 1
        for event in events:
            after = domain.evolve(state, event)
            assert after.text != state.text
            assert after.version == state.version + 1
            state = after
