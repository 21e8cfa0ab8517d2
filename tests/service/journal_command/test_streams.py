"""`journal look` and `journal verify`: the facts behind a row, and whether the row is what they say."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.calls import handlers
from services.calls.domain.returns import Windows
from services.comments import handlers as comments
from shared.contracts.calls import reports
from shared.contracts.calls.events import call_id
from shared.contracts.values import Role
from shared.plumbing.database import Postgres
from shared.testing import scenarios
from shared.testing.infrastructure import Stack
from tools import journal

CALL = call_id("acme", "pbx-1")
TEXT = """
    12:00:00 | placed   | outbound 101 -> +380501112233
    12:00:02 | ringing  | +380501112233
    12:00:20 | ended    | by callee, cause 21
    => declined
"""
BEGINNINGS = "A stream begins with call- or comment- or charge- or tariff- or recording-."
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("STACK_DIR", str(stack.folder))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = journal.main(list(arguments))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def told(calls_db: Postgres) -> Postgres:
    """The database of calls, in which three calls have been told."""
    for call in ("pbx-1", "pbx-2", "pbx-3"):
        [scenario] = scenarios.read(TEXT, call)
        bodies = [(reports.dump(report), "trace") for report in scenario.reports]
        with calls_db.connection() as conn:
            handlers.take_reports(conn, bodies, Windows(timedelta(hours=24)))
    return calls_db


@pytest.fixture
def commented(comments_db: Postgres) -> Postgres:
    """The database of comments, in which one of the calls has a comment."""
    with comments_db.connection() as conn:
        comments.write(conn, uuid4(), "acme", CALL, UUID(int=11), Role.OPERATOR, "передзвонити", None)
    return comments_db


def test_a_stream_is_told_event_by_event(run: Run, told: Postgres) -> None:
    status, said, _ = run("look", f"call-{CALL}")
    assert status == 0
    [first, about, *_] = said.splitlines()
    assert first.split()[:3] == ["1", "2026-11-22T12:00:00.000000Z", "call_placed"]
    assert "direction outbound, caller 101, callee +380501112233" in first
    assert about.strip().endswith("for trace")
    assert "by callee, cause 21" in said


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (f"call-{UUID(int=1)}", f"There is no stream call-{UUID(int=1)}."),
        ("nobody-1", f"Whose stream is 'nobody-1'? {BEGINNINGS}"),
        ("", f"Whose stream is ''? {BEGINNINGS}"),
    ],
)
def test_what_is_no_stream_is_said_so(run: Run, calls_db: Postgres, stream: str, sentence: str) -> None:
    assert run("look", stream) == (1, "", f"{sentence}\n")


def test_rows_that_are_what_their_streams_say_agree(run: Run, told: Postgres) -> None:
    assert run("verify") == (0, "3 calls agree with their streams.\n", "")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("update calls set status = 'answered' where call_id = %s", "status is answered, its stream says declined"),
        ("update calls set version = 7 where call_id = %s", "version is 7, its stream says 3"),
        ("update calls set tenant = 'other' where call_id = %s", "tenant is other, its stream says acme"),
        (
            "update calls set ended_at = null where call_id = %s",
            "ended_at is None, its stream says 2026-11-22T12:00:20",
        ),
        ("delete from calls where call_id = %s", "has no row"),
    ],
)
def test_a_row_that_differs_is_found(run: Run, told: Postgres, change: str, difference: str) -> None:
    with told.connection() as conn:
        conn.execute(change, (CALL,))
    status, said, complaint = run("verify")
    assert said.startswith(f"call-{CALL}: {difference}")
    assert (status, complaint) == (1, "1 of 3 calls do not agree with their streams.\n")


def test_a_row_without_a_stream_is_found(run: Run, told: Postgres) -> None:
    with told.connection() as conn:
        conn.execute("update calls set call_id = %s where call_id = %s", (UUID(int=1), CALL))
    status, said, _ = run("verify")
    assert status == 1
    assert f"call-{UUID(int=1)}: has a row and no stream" in said
    assert f"call-{CALL}: has no row" in said


def test_a_companys_calls_and_comments_are_published_once_more_as_they_are(
    run: Run, told: Postgres, commented: Postgres
) -> None:
    for owner in (told, commented):
        with owner.connection() as conn:
            conn.execute("delete from outbox")
    status, said, _ = run("resend", "acme")
    assert (status, said.strip()) == (
        0,
        "3 calls, 1 comments, 0 billing, 0 recordings are published again by the relays.",
    )
    for owner, expected in ((told, 3), (commented, 1)):
        with owner.connection() as conn:
            assert conn.execute("select count(*), count(distinct key) from outbox").fetchone() == (expected, 1)


def test_the_stream_of_a_comment_is_told_too(run: Run, commented: Postgres) -> None:
    status, said, _ = run("look", f"comment-{CALL}")
    assert status == 0
    assert "comment_added" in said
    assert "text передзвонити" in said


def test_a_company_that_is_not_there_is_said_so(run: Run, told: Postgres, commented: Postgres) -> None:
    assert run("resend", "nobody") == (1, "", "nobody has no calls.\n")
