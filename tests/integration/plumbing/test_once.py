"""What is heard twice is heard once, and what is asked thrice is done once."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from shared.plumbing import commands, inbox
from shared.plumbing.database import Postgres
from shared.plumbing.inbox import Heard


def digests(**messages: str) -> dict[str, bytes]:
    return {id_: hashlib.sha256(content.encode()).digest() for id_, content in messages.items()}


def remember(db: Postgres, consumer: str = "c", **messages: str) -> Heard:
    with db.connection() as conn:
        return inbox.remember(conn, consumer, digests(**messages))


def test_a_message_is_first_once(calls_db: Postgres) -> None:
    assert remember(calls_db, a="1", b="1") == Heard({"a", "b"}, set())
    assert remember(calls_db, b="1", c="1") == Heard({"c"}, set())


def test_the_same_id_with_other_content_is_different(calls_db: Postgres) -> None:
    remember(calls_db, a="1", b="1")
    assert remember(calls_db, a="2", b="1", c="1") == Heard({"c"}, {"a"})


def test_each_consumer_has_heard_its_own(calls_db: Postgres) -> None:
    remember(calls_db, "one", a="1")
    assert remember(calls_db, "two", a="1") == Heard({"a"}, set())


def test_nothing_is_nothing(calls_db: Postgres) -> None:
    assert remember(calls_db) == Heard(set(), set())


def test_what_was_rolled_back_was_not_heard(calls_db: Postgres) -> None:
    with calls_db.connection() as conn:
        inbox.remember(conn, "c", digests(a="1"))
        conn.execute("rollback")
    assert remember(calls_db, a="1").first == {"a"}


def test_consumers_at_once_share_the_firsts_and_never_wait_for_ever(calls_db: Postgres) -> None:
    def hear(order: list[str]) -> set[str]:
        return remember(calls_db, **dict.fromkeys(order, "1")).first

    with ThreadPoolExecutor(4) as pool:
        for turn in range(8):
            ids = [f"{turn}.{number}" for number in range(400)]
            firsts = list(pool.map(hear, [ids, ids[::-1], ids[200:] + ids[:200], ids[::-1]]))
            assert sorted(id_ for first in firsts for id_ in first) == sorted(ids)


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
