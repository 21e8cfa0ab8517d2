"""Commands of comments against Postgres: each is carried out once, and of two at once the second sees the first."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.comments import handlers, queries
from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected
from shared.contracts.values import Role
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.sizes import Size, sized

TENANT = "acme"
CALL, OLHA, PETRO = UUID(int=1), UUID(int=11), UUID(int=12)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def write(
    db: Postgres,
    text: str,
    command_id: UUID | None = None,
    *,
    by: UUID = OLHA,
    seen: int | None = None,
    call_id: UUID = CALL,
    tenant: str = TENANT,
) -> Json:
    with db.connection() as conn:
        return handlers.write(conn, command_id or uuid4(), tenant, call_id, by, Role.OPERATOR, text, seen)


def delete(db: Postgres, command_id: UUID | None = None, *, by: UUID = OLHA) -> Json:
    with db.connection() as conn:
        return handlers.delete(conn, command_id or uuid4(), TENANT, CALL, by, Role.OPERATOR)


def history(db: Postgres, tenant: str = TENANT) -> list[tuple[int, str, str | None]]:
    with db.connection() as conn:
        return [(one["version"], one["action"], one["text"]) for one in queries.history(conn, tenant, CALL)]


def published(db: Postgres) -> list[tuple[str, int, str | None]]:
    query = (
        "select key, (body::jsonb ->> 'version')::int, body::jsonb -> 'state' ->> 'text' from outbox order by position"
    )
    with db.connection() as conn:
        return conn.execute(query).fetchall()


def at_once(*writes: Any) -> None:
    threads = [threading.Thread(target=one) for one in writes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_comment_is_added_edited_and_deleted_and_each_is_kept_and_told(comments_db: Postgres) -> None:
    with clock.fixed(NOON):
        answers = [write(comments_db, "так"), write(comments_db, "ні"), delete(comments_db)]
    assert [(one["created"], one["version"], one["state"]["text"]) for one in answers] == [
        (True, 1, "так"),
        (False, 2, "ні"),
        (False, 3, None),
    ]
    assert history(comments_db) == [(1, "added", "так"), (2, "edited", "ні"), (3, "deleted", None)]
    assert published(comments_db) == [
        ("comment_added", 1, "так"),
        ("comment_edited", 2, "ні"),
        ("comment_deleted", 3, None),
    ]
    assert answers[1]["state"] == {
        "call_id": str(CALL),
        "text": "ні",
        "author_id": str(OLHA),
        "created_at": "2026-11-22T12:00:00.000000Z",
        "updated_at": "2026-11-22T12:00:00.000000Z",
    }


def test_what_is_refused_leaves_nothing_behind_and_may_be_sent_again(comments_db: Postgres) -> None:
    command = uuid4()
    with pytest.raises(Invalid):
        write(comments_db, "ї" * 201, command)
    with pytest.raises(NotFound):
        delete(comments_db)
    assert (history(comments_db), published(comments_db)) == ([], [])
    assert write(comments_db, "ї" * 200, command)["created"]
    with pytest.raises(Rejected, match="comment_of_another_author"):
        write(comments_db, "ні", by=PETRO)
    with pytest.raises(Rejected, match="comment_of_another_author"):
        delete(comments_db, by=PETRO)
    assert len(history(comments_db)) == 1


def test_a_command_sent_twice_is_carried_out_once_and_answered_alike(comments_db: Postgres) -> None:
    adding, deleting = uuid4(), uuid4()
    first = write(comments_db, "так", adding)
    write(comments_db, "ні")
    assert write(comments_db, "так", adding) == first
    gone = delete(comments_db, deleting)
    assert delete(comments_db, deleting) == gone
    assert history(comments_db) == [(1, "added", "так"), (2, "edited", "ні"), (3, "deleted", None)]


def test_a_command_sent_many_times_at_once_is_carried_out_once(comments_db: Postgres) -> None:
    command, answers = uuid4(), list[Json]()
    at_once(*[lambda: answers.append(write(comments_db, "так", command))] * 5)
    assert answers == [answers[0]] * 5
    assert history(comments_db) == [(1, "added", "так")]


def test_the_same_text_again_is_no_version(comments_db: Postgres) -> None:
    first = write(comments_db, "так")
    assert write(comments_db, " так ") == {**first, "created": False}
    assert history(comments_db) == [(1, "added", "так")]


def test_who_was_not_the_last_to_see_it_is_told_what_it_says_now(comments_db: Postgres) -> None:
    write(comments_db, "перше")
    write(comments_db, "друге", seen=1)
    with pytest.raises(Conflict) as refusal:
        write(comments_db, "третє", seen=1)
    assert refusal.value.current["version"] == 2
    assert refusal.value.current["state"]["text"] == "друге"
    assert len(history(comments_db)) == 2


def test_of_two_who_saw_the_same_one_loses_the_race(comments_db: Postgres) -> None:
    write(comments_db, "спільне")
    lost = list[Conflict]()

    def edit(text: str) -> None:
        try:
            write(comments_db, text, seen=1)
        except Conflict as error:
            lost.append(error)

    at_once(lambda: edit("моє"), lambda: edit("твоє"))
    [(_, _, first), (_, _, won)] = history(comments_db)
    assert (first, len(lost)) == ("спільне", 1)
    assert lost[0].current["state"]["text"] == won


def test_another_companys_comments_are_not_there(comments_db: Postgres) -> None:
    write(comments_db, "так")
    assert history(comments_db, "other") == []
    with comments_db.connection() as conn:
        assert queries.get(conn, "other", CALL) is None
        assert handlers.resend(conn, uuid4(), "other", [CALL], None, 10)["sent"] == 0


def test_the_timeline_tells_the_same_as_events_with_who_did_it(comments_db: Postgres) -> None:
    with clock.fixed(NOON):
        write(comments_db, "так")
    with comments_db.connection() as conn:
        [told] = queries.timeline(conn, TENANT, CALL)
    assert (told["type"], told["at"], told["by"], told["data"]["text"]) == ("comment_added", NOON, str(OLHA), "так")


def test_resending_publishes_the_current_state_of_each_comment_once(comments_db: Postgres) -> None:
    command = uuid4()
    for number in (1, 2, 3):
        write(comments_db, f"коментар {number}", call_id=UUID(int=number))
    delete(comments_db)
    with comments_db.connection() as conn:
        conn.execute("delete from outbox")
        first = handlers.resend(conn, command, TENANT, None, None, 2)
        assert first == {"sent": 2, "last": str(UUID(int=2))}
        assert handlers.resend(conn, command, TENANT, None, None, 2) == first
        assert handlers.resend(conn, uuid4(), TENANT, None, UUID(first["last"]), 2)["sent"] == 1
    assert published(comments_db) == [
        ("comment_deleted", 2, None),
        ("comment_added", 1, "коментар 2"),
        ("comment_added", 1, "коментар 3"),
    ]


class Edit(NamedTuple):
    """`looks`: edits what they have just seen, else whatever there is."""

    text: str
    looks: bool

    def __repr__(self) -> str:
        """Short: hypothesis minds examples that take long to write."""
        return f"{self.text}{'?' if self.looks else '!'}"


EDITS = st.builds(Edit, st.text("абвгд", min_size=1, max_size=3), st.booleans())


def exactly(number: int, of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=number, max_size=number)


# Who uses it meanwhile is the pool of connections, in a thread of its own.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@sized("comments")
def test_the_history_is_the_sequence_of_the_accepted_writes(comments_db: Postgres, size: Size) -> None:
    @settings(max_examples=size.examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.lists(EDITS, min_size=size.each, max_size=size.each), min_size=size.people, max_size=size.people)
    )
    def holds(plans: Sequence[Sequence[Edit]]) -> None:
        call_id, accepted, refused = uuid4(), list[tuple[int, str]](), list[Conflict]()

        def edit(plan: Sequence[Edit]) -> None:
            version = 0
            for text, looks in plan:
                try:
                    told = write(comments_db, text, call_id=call_id, seen=version if looks else None)
                except Conflict as error:
                    refused.append(error)
                    version = error.current["version"]
                else:
                    version = told["version"]
                    accepted.append((version, told["state"]["text"]))

        at_once(*[lambda plan=plan: edit(plan) for plan in plans])
        with comments_db.connection() as conn:
            kept = [(one["version"], one["text"]) for one in queries.history(conn, TENANT, call_id)]
        assert kept == sorted(set(accepted))
        assert [version for version, _ in kept] == list(range(1, len(kept) + 1))
        assert len(accepted) + len(refused) == sum(map(len, plans))

    holds()
