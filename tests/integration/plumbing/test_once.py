"""A message received twice is processed once, and a repeated command runs once."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from shared.plumbing import commands, inbox
from shared.plumbing.database import Postgres
from shared.plumbing.inbox import Inbox


def digests(**messages: str) -> dict[str, bytes]:
    return {id_: hashlib.sha256(content.encode()).digest() for id_, content in messages.items()}


def record(db: Postgres, consumer: str = "c", **messages: str) -> Inbox:
    with db.connection() as conn:
        return inbox.record(conn, consumer, digests(**messages))


def test_a_message_is_new_only_once(calls_db: Postgres) -> None:
    assert record(calls_db, a="1", b="1") == Inbox({"a", "b"}, set())
    assert record(calls_db, b="1", c="1") == Inbox({"c"}, set())


def test_a_known_id_with_other_content_is_a_conflict(calls_db: Postgres) -> None:
    record(calls_db, a="1", b="1")
    assert record(calls_db, a="2", b="1", c="1") == Inbox({"c"}, {"a"})


def test_each_consumer_has_its_own_inbox(calls_db: Postgres) -> None:
    record(calls_db, "one", a="1")
    assert record(calls_db, "two", a="1") == Inbox({"a"}, set())


def test_no_messages_give_an_empty_result(calls_db: Postgres) -> None:
    assert record(calls_db) == Inbox(set(), set())


def test_a_rolled_back_message_is_new_again(calls_db: Postgres) -> None:
    with calls_db.connection() as conn:
        inbox.record(conn, "c", digests(a="1"))
        conn.execute("rollback")
    assert record(calls_db, a="1").new == {"a"}


def test_concurrent_consumers_record_each_message_once_without_deadlock(calls_db: Postgres) -> None:
    def receive(ids: list[str]) -> set[str]:
        return record(calls_db, **dict.fromkeys(ids, "1")).new

    with ThreadPoolExecutor(4) as pool:
        for turn in range(8):
            ids = [f"{turn}.{number}" for number in range(400)]
            results = list(pool.map(receive, [ids, ids[::-1], ids[200:] + ids[:200], ids[::-1]]))
            assert sorted(id_ for new in results for id_ in new) == sorted(ids)


def test_a_command_is_done_once_and_answered_alike(calls_db: Postgres) -> None:
    command, done, together = uuid4(), list[int](), threading.Barrier(3)

    def send(sender: int) -> Any:
        together.wait()
        with calls_db.connection() as conn:
            return commands.once(conn, command, lambda: done.append(sender) or {"by": sender})

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, range(3)))
    assert answers == [{"by": done[0]}] * 3
    assert len(done) == 1


def test_a_command_that_failed_may_be_sent_again(calls_db: Postgres) -> None:
    command = uuid4()

    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError), calls_db.connection() as conn:
        commands.once(conn, command, fail)
    with calls_db.connection() as conn:
        assert commands.once(conn, command, lambda: "done") == "done"


@pytest.mark.parametrize("answer", [None, 0, "", [], {"a": [1, None]}])
def test_every_answer_is_kept_as_it_was(calls_db: Postgres, answer: Any) -> None:
    command = uuid4()
    for _ in range(2):
        with calls_db.connection() as conn:
            assert commands.once(conn, command, lambda: answer) == answer
