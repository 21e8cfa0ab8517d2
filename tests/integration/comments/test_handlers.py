"""Commands of comments against PostgreSQL: idempotency, conflicts and tenants."""

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
from tests.support.problems import refused

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
        return [
            (version["version"], version["action"], version["text"]) for version in queries.history(conn, tenant, CALL)
        ]


def published(db: Postgres) -> list[tuple[str, int, str | None]]:
    query = (
        "select key, (body::jsonb ->> 'version')::int, body::jsonb -> 'state' ->> 'text' from outbox order by position"
    )
    with db.connection() as conn:
        return conn.execute(query).fetchall()


def run_concurrently(*writes: Any) -> None:
    threads = [threading.Thread(target=write_) for write_ in writes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_each_change_of_a_comment_is_stored_and_published(comments_db: Postgres) -> None:
    with clock.fixed(NOON):
        results = [write(comments_db, "так"), write(comments_db, "ні"), delete(comments_db)]
    assert [(result["created"], result["version"], result["state"]["text"]) for result in results] == [
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
    assert results[1]["state"] == {
        "call_id": str(CALL),
        "text": "ні",
        "author_id": str(OLHA),
        "created_at": "2026-11-22T12:00:00.000000Z",
        "updated_at": "2026-11-22T12:00:00.000000Z",
    }


def test_a_rejected_command_leaves_no_trace_and_may_be_repeated(comments_db: Postgres) -> None:
    command = uuid4()
    with pytest.raises(Invalid):
        write(comments_db, "ї" * 201, command)
    with pytest.raises(NotFound):
        delete(comments_db)
    assert (history(comments_db), published(comments_db)) == ([], [])
    assert write(comments_db, "ї" * 200, command)["created"]
    with refused("comment_of_another_author", Rejected):
        write(comments_db, "ні", by=PETRO)
    with refused("comment_of_another_author", Rejected):
        delete(comments_db, by=PETRO)
    assert len(history(comments_db)) == 1


def test_a_repeated_command_is_executed_once_with_the_same_response(comments_db: Postgres) -> None:
    adding, deleting = uuid4(), uuid4()
    first = write(comments_db, "так", adding)
    write(comments_db, "ні")
    assert write(comments_db, "так", adding) == first
    deletion = delete(comments_db, deleting)
    assert delete(comments_db, deleting) == deletion
    assert history(comments_db) == [(1, "added", "так"), (2, "edited", "ні"), (3, "deleted", None)]


def test_a_command_repeated_concurrently_is_executed_once(comments_db: Postgres) -> None:
    command, results = uuid4(), list[Json]()
    run_concurrently(*[lambda: results.append(write(comments_db, "так", command))] * 5)
    assert results == [results[0]] * 5
    assert history(comments_db) == [(1, "added", "так")]


def test_writing_the_same_text_creates_no_version(comments_db: Postgres) -> None:
    first = write(comments_db, "так")
    assert write(comments_db, " так ") == {**first, "created": False}
    assert history(comments_db) == [(1, "added", "так")]


def test_a_conflict_contains_the_current_comment(comments_db: Postgres) -> None:
    write(comments_db, "перше")
    write(comments_db, "друге", seen=1)
    with pytest.raises(Conflict) as refusal:
        write(comments_db, "третє", seen=1)
    assert refusal.value.current["version"] == 2
    assert refusal.value.current["state"]["text"] == "друге"
    assert len(history(comments_db)) == 2


def test_one_of_two_concurrent_edits_is_a_conflict(comments_db: Postgres) -> None:
    write(comments_db, "спільне")
    conflicts = list[Conflict]()

    def edit(text: str) -> None:
        try:
            write(comments_db, text, seen=1)
        except Conflict as error:
            conflicts.append(error)

    run_concurrently(lambda: edit("моє"), lambda: edit("твоє"))
    [(_, _, first), (_, _, winner)] = history(comments_db)
    assert (first, len(conflicts)) == ("спільне", 1)
    assert conflicts[0].current["state"]["text"] == winner


def test_comments_of_another_tenant_are_not_found(comments_db: Postgres) -> None:
    write(comments_db, "так")
    assert history(comments_db, "other") == []
    with comments_db.connection() as conn:
        assert queries.get(conn, "other", CALL) is None
        assert handlers.resend(conn, uuid4(), "other", [CALL], None, 10)["sent"] == 0


def test_the_timeline_contains_events_with_their_author(comments_db: Postgres) -> None:
    with clock.fixed(NOON):
        write(comments_db, "так")
    with comments_db.connection() as conn:
        [event] = queries.timeline(conn, TENANT, CALL)
    assert (event["type"], event["at"], event["by"], event["data"]["text"]) == ("comment_added", NOON, str(OLHA), "так")


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
    """`checks_version`: sends the version that was read last."""

    text: str
    checks_version: bool

    def __repr__(self) -> str:
        """Short, because hypothesis limits the size of an example."""
        return f"{self.text}{'?' if self.checks_version else '!'}"


EDITS = st.builds(Edit, st.text("абвгд", min_size=1, max_size=3), st.booleans())


def exactly(number: int, of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=number, max_size=number)


# The connection pool uses it in its own thread.
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
            for text, checks_version in plan:
                try:
                    result = write(comments_db, text, call_id=call_id, seen=version if checks_version else None)
                except Conflict as error:
                    refused.append(error)
                    version = error.current["version"]
                else:
                    version = result["version"]
                    accepted.append((version, result["state"]["text"]))

        run_concurrently(*[lambda plan=plan: edit(plan) for plan in plans])
        with comments_db.connection() as conn:
            stored = [(version["version"], version["text"]) for version in queries.history(conn, TENANT, call_id)]
        assert stored == sorted(set(accepted))
        assert [version for version, _ in stored] == list(range(1, len(stored) + 1))
        assert len(accepted) + len(refused) == sum(map(len, plans))

    holds()
