"""Who claims a key, for how long, and what a write is called by that an owner is to do once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from werkzeug.wrappers import Response

from services.gateway.http.idempotency import (
    DELETE_BATCH,
    IdempotentRequest,
    delete_expired,
    run_in_transaction,
    run_upstream,
)
from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected, Unavailable
from shared.http.problems import Problem
from shared.plumbing.database import Connection, Postgres

AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
WRITE = IdempotentRequest(UUID(int=1), "key", b"asked", AT)
CLAIMS = """
    insert into idempotency_keys (digest, request_digest, claimed_at)
    select number::text::bytea, '', %(at)s from generate_series(1, %(count)s) as number
"""


class Owner:
    """Notes by which ids it is told a write."""

    def __init__(self) -> None:
        self.told: list[UUID] = []

    def does(self, body: str = "") -> Callable[[UUID], Response]:
        def write(command_id: UUID) -> Response:
            self.told.append(command_id)
            return Response(body, 201)

        return write

    def refuses(self, refusal: Exception) -> Callable[[object], Response]:
        def write(told: object) -> Response:
            self.told.append(UUID(int=0))
            raise refusal

        return write

    def is_lost(self, command_id: UUID) -> Response:
        self.told.append(command_id)
        raise Unavailable


@pytest.fixture
def owner() -> Owner:
    return Owner()


def later(by: timedelta) -> IdempotentRequest:
    return WRITE._replace(at=AT + by)


def test_for_a_day_a_repeat_is_answered_and_the_owner_is_not_told(gateway_db: Postgres, owner: Owner) -> None:
    run_upstream(gateway_db, WRITE, owner.does("перша"))
    again = run_upstream(gateway_db, later(DAY - timedelta(microseconds=1)), owner.does("друга"))
    assert (again.status_code, again.get_data(as_text=True), len(owner.told)) == (201, "перша", 1)


def test_from_then_on_it_is_another_command(gateway_db: Postgres, owner: Owner) -> None:
    for at in (timedelta(0), DAY, 2 * DAY, 2 * DAY + timedelta(hours=1)):
        run_upstream(gateway_db, later(at), owner.does())
    assert len(owner.told) == len(set(owner.told)) == 3


def test_a_write_whose_answer_was_lost_is_the_same_command_for_a_day(gateway_db: Postgres, owner: Owner) -> None:
    for at in (timedelta(0), timedelta(hours=23), DAY):
        with pytest.raises(Unavailable):
            run_upstream(gateway_db, later(at), owner.is_lost)
    first, repeated, next_day = owner.told
    assert first == repeated != next_day


def test_a_key_whose_answer_was_lost_is_for_no_other_request(gateway_db: Postgres, owner: Owner) -> None:
    with pytest.raises(Unavailable):
        run_upstream(gateway_db, WRITE, owner.is_lost)
    with pytest.raises(Invalid):
        run_upstream(gateway_db, WRITE._replace(request_digest=b"another"), owner.does())
    assert len(owner.told) == 1


@pytest.mark.parametrize("known", [False, True], ids=["new", "expired"])
def test_several_at_once_claim_a_key_once_and_are_one_command(gateway_db: Postgres, owner: Owner, known: bool) -> None:
    together = Barrier(4)

    def ask(number: int) -> None:
        together.wait()
        run_upstream(gateway_db, later(DAY + timedelta(seconds=number)), owner.does())

    if known:
        run_upstream(gateway_db, WRITE, owner.does())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert len(set(owner.told)) == 1 + known


def test_a_first_answer_that_comes_late_is_none_to_the_next_days_write(gateway_db: Postgres, owner: Owner) -> None:
    def slow(command_id: UUID) -> Response:
        run_upstream(gateway_db, later(DAY), owner.does("нова"))
        return owner.does("стара")(command_id)

    run_upstream(gateway_db, WRITE, slow)
    assert run_upstream(gateway_db, later(DAY), owner.does()).get_data(as_text=True) == "нова"


def test_without_a_key_each_write_is_a_command_of_its_own(gateway_db: Postgres, owner: Owner) -> None:
    for _ in range(2):
        run_upstream(gateway_db, None, owner.does())
    assert len(set(owner.told)) == 2


def test_everything_that_is_too_old_is_forgotten_at_once(gateway_db: Postgres) -> None:
    with gateway_db.connection() as conn:
        conn.execute(CLAIMS, {"at": AT, "count": 2 * DELETE_BATCH + 1})
    assert delete_expired(gateway_db, AT + DAY - timedelta(seconds=1)) == 0
    assert delete_expired(gateway_db, AT + DAY) == 2 * DELETE_BATCH + 1


@pytest.mark.parametrize("door", [run_upstream, run_in_transaction])
@pytest.mark.parametrize("refusal", [Conflict(), Rejected(), Problem("comment_changed", more="так")])
def test_a_refusal_of_a_write_is_its_answer(gateway_db: Postgres, owner: Owner, door, refusal) -> None:
    first = door(gateway_db, WRITE, owner.refuses(refusal))
    again = door(gateway_db, WRITE, owner.does())
    assert (again.status_code, again.get_data(), len(owner.told)) == (first.status_code, first.get_data(), 1)
    assert again.mimetype == "application/problem+json"


@pytest.mark.parametrize("door", [run_upstream, run_in_transaction])
@pytest.mark.parametrize(
    "refusal", [NotFound(), Problem("role_not_allowed"), Problem("too_many_requests"), Unavailable()]
)
def test_who_was_not_let_in_or_came_at_a_bad_time_may_try_again(
    gateway_db: Postgres, owner: Owner, door, refusal
) -> None:
    with pytest.raises(type(refusal)):
        door(gateway_db, WRITE, owner.refuses(refusal))
    assert door(gateway_db, WRITE, owner.does()).status_code == 201


@pytest.mark.parametrize("door", [run_upstream, run_in_transaction])
@pytest.mark.parametrize("refusal", [Invalid(), NotFound(), Problem("role_not_allowed"), Problem("wrong_content_type")])
def test_who_mends_what_was_wrong_may_keep_the_key(gateway_db: Postgres, owner: Owner, door, refusal) -> None:
    with pytest.raises(type(refusal)):
        door(gateway_db, WRITE, owner.refuses(refusal))
    assert door(gateway_db, WRITE._replace(request_digest=b"mended"), owner.does()).status_code == 201


def test_of_two_at_once_the_refused_one_takes_nothing_from_the_other(gateway_db: Postgres, owner: Owner) -> None:
    def done_while_another_is_refused(command_id: UUID) -> Response:
        with pytest.raises(NotFound):
            run_upstream(gateway_db, WRITE, owner.refuses(NotFound()))
        return owner.does("зроблено")(command_id)

    run_upstream(gateway_db, WRITE, done_while_another_is_refused)
    assert run_upstream(gateway_db, WRITE, owner.does()).get_data(as_text=True) == "зроблено"


def test_who_asks_again_while_the_first_is_on_its_way_asks_for_the_same_command(
    gateway_db: Postgres, owner: Owner
) -> None:
    def slow(command_id: UUID) -> Response:
        with pytest.raises(NotFound):
            run_upstream(gateway_db, WRITE, owner.refuses(NotFound()))
        run_upstream(gateway_db, later(timedelta(seconds=1)), owner.does())
        return owner.does()(command_id)

    run_upstream(gateway_db, WRITE, slow)
    refused, again, first = owner.told
    assert again == first != refused


def test_what_is_refused_here_leaves_nothing(gateway_db: Postgres) -> None:
    def write(conn: Connection) -> Response:
        conn.execute(CLAIMS, {"at": AT, "count": 1})
        raise Conflict

    assert run_in_transaction(gateway_db, WRITE, write).status_code == 409
    assert delete_expired(gateway_db, AT + DAY) == 1, "the answer"


def test_a_gateway_of_the_release_before_shares_the_keys_through_the_view(gateway_db: Postgres, owner: Owner) -> None:
    claim = """
        insert into kept_answers (digest, asked, claimed_at) values (%(digest)s, %(asked)s, %(at)s)
            on conflict (digest) do update
           set asked = excluded.asked, answer = null,
               claimed_at = case when kept_answers.claimed_at <= %(expired_at)s then excluded.claimed_at
                                 else kept_answers.claimed_at end
         where kept_answers.claimed_at <= %(expired_at)s or kept_answers.asked is null
    """
    keep = "update kept_answers set asked = %(asked)s, answer = %(answer)s where digest = %(digest)s and answer is null"
    forget = """
        delete from kept_answers
         where digest in (select digest from kept_answers where claimed_at <= %(at)s limit 10 for update skip locked)
    """
    row = WRITE.row | {"asked": WRITE.request_digest, "answer": None}
    with gateway_db.connection() as conn:
        conn.execute(claim, row)
        conn.execute(claim, row)
        assert conn.execute(keep, row).rowcount == 1
    with pytest.raises(Invalid):
        run_upstream(gateway_db, WRITE._replace(request_digest=b"another"), owner.does())
    assert run_upstream(gateway_db, WRITE, owner.does()).status_code == 201
    with gateway_db.connection() as conn:
        assert conn.execute(forget, row).rowcount == 1
