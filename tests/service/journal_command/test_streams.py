"""`journal look` and `journal verify`: the facts behind a row, and whether the row is what they say."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.calls import handlers
from services.calls.domain.returns import Windows
from services.comments import handlers as comments
from services.recordings import handlers as recordings
from services.recordings.domain.recording import AudioFile
from shared.contracts.calls import reports
from shared.contracts.calls.events import call_id
from shared.contracts.recordings.events import Format
from shared.contracts.values import Role
from shared.plumbing.database import Postgres
from tests.integration.billing import company as companies
from tests.integration.billing.company import Billing, ended
from tests.integration.billing.company import told as billed
from tests.support import scenarios
from tests.support.infrastructure import Stack
from tools import journal

CALL, PRICED = call_id("acme", "pbx-1"), companies.call_id("pbx-1")
TEXT = """
    12:00:00 | placed   | outbound 101 -> +380501112233
    12:00:02 | ringing  | +380501112233
    12:00:20 | ended    | by callee, cause 21
    => declined
"""
BEGINNINGS = "a stream begins with charge- or tariff- or call- or comment- or recording-."
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("STACK_DIR", str(stack.folder))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = journal.main(list(arguments))
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture
def told(calls_db: Postgres) -> Postgres:
    """The database of calls, in which three calls have been told."""
    for call in ("pbx-1", "pbx-2", "pbx-3"):
        [scenario] = scenarios.read(TEXT, call)
        bodies = [(reports.dump(report), "trace") for report in scenario.reports]
        with calls_db.connection() as conn:
            handlers.record_reports(conn, bodies, Windows(timedelta(hours=24)))
    return calls_db


@pytest.fixture
def commented(comments_db: Postgres) -> Postgres:
    """The database of comments, in which one of the calls has a comment."""
    with comments_db.connection() as conn:
        comments.write(conn, uuid4(), "acme", CALL, UUID(int=11), Role.OPERATOR, "передзвонити", None)
    return comments_db


@pytest.fixture
def owners(told: Postgres, commented: Postgres, billing_db: Postgres, recordings_db: Postgres) -> dict[str, Postgres]:
    """The databases of all owners of streams, by their names: one call has a comment, a price and a recording."""
    company = Billing(billing_db)
    company.tariff()
    company.hear(billed(ended("pbx-1")))
    assert company.rate(300) == 1
    sound = AudioFile(format=Format.WAV, duration=timedelta(seconds=1), size=10, sha256="a" * 64, peaks=[1, 2])
    with recordings_db.connection() as conn:
        recordings.store_recording(conn, "acme", CALL, UUID(int=12), sound)
        recordings.record_listening(conn, "acme", CALL, UUID(int=11))
    return {"calls": told, "comments": commented, "billing": billing_db, "recordings": recordings_db}


def test_look_prints_one_line_per_event(run: Run, told: Postgres) -> None:
    status, output, _ = run("look", f"call-{CALL}")
    assert status == 0
    [first, about, *_] = output.splitlines()
    assert first.split()[:3] == ["1", "2026-11-22T12:00:00.000000Z", "call_placed"]
    assert "direction outbound, caller 101, callee +380501112233" in first
    assert about.strip().endswith("for trace")
    assert "by callee, cause 21" in output


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (f"call-{UUID(int=1)}", f"There is no stream call-{UUID(int=1)}."),
        ("nobody-1", f"Unknown stream 'nobody-1': {BEGINNINGS}"),
        ("", f"Unknown stream '': {BEGINNINGS}"),
    ],
)
def test_an_unknown_stream_is_reported(run: Run, calls_db: Postgres, stream: str, sentence: str) -> None:
    assert run("look", stream) == (1, "", f"{sentence}\n")


def test_verify_succeeds_when_rows_match_their_streams(run: Run, owners: dict[str, Postgres]) -> None:
    output = "1 charges, 1 tariffs, 3 calls, 1 comments, 1 recordings agree with their streams.\n"
    assert run("verify") == (0, output, "")


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
def test_verify_finds_a_call_that_differs(run: Run, owners: dict[str, Postgres], change: str, difference: str) -> None:
    with owners["calls"].connection() as conn:
        conn.execute(change, (CALL,))
    status, output, error = run("verify")
    assert output.startswith(f"call-{CALL}: {difference}")
    assert (status, error) == (1, "1 of 3 calls do not agree with their streams.\n")


@pytest.mark.parametrize(
    ("owner", "change", "what", "difference"),
    [
        ("comments", "update comments set version = 7", "comments", "version is 7, its stream says 1"),
        ("billing", "update charges set amount = 9", "charges", "amount is 9, its stream says 1.2000"),
        ("billing", "update tariffs set state = 'draft'", "tariffs", "state is draft, its stream says active"),
        ("recordings", "update recordings set available = false", "recordings", "available is False"),
        ("recordings", "update recordings set peaks = null", "recordings", "peaks is None, its stream says [1, 2]"),
    ],
)
def test_verify_finds_differences_in_every_owner(
    run: Run, owners: dict[str, Postgres], owner: str, change: str, what: str, difference: str
) -> None:
    with owners[owner].connection() as conn:
        conn.execute(change)
    status, output, error = run("verify")
    assert difference in output
    assert (status, error) == (1, f"1 of 1 {what} do not agree with their streams.\n")


def test_verify_finds_a_row_without_a_stream(run: Run, owners: dict[str, Postgres]) -> None:
    for owner, table in (("calls", "calls"), ("billing", "charges")):
        with owners[owner].connection() as conn:
            conn.execute(f"update {table} set call_id = %s where call_id in (%s, %s)", (UUID(int=1), CALL, PRICED))
    status, output, _ = run("verify")
    assert status == 1
    assert f"charge-{UUID(int=1)}: has a row and no stream" in output
    assert f"call-{UUID(int=1)}: has a row and no stream" in output
    assert f"call-{CALL}: has no row" in output


def test_resend_publishes_the_current_state_of_a_companys_records(run: Run, owners: dict[str, Postgres]) -> None:
    for owner in owners.values():
        with owner.connection() as conn:
            conn.execute("delete from outbox")
    status, output, _ = run("resend", "acme")
    assert (status, output.strip()) == (
        0,
        "0 billing, 3 calls, 1 comments, 1 recordings are published again by the relays.",
    )
    for owner, expected in (("calls", 3), ("comments", 1), ("recordings", 1)):
        with owners[owner].connection() as conn:
            assert conn.execute("select count(*), count(distinct key) from outbox").fetchone() == (expected, 1)


def test_look_prints_the_stream_of_a_comment(run: Run, commented: Postgres) -> None:
    status, output, _ = run("look", f"comment-{CALL}")
    assert status == 0
    assert "comment_added" in output
    assert "text передзвонити" in output


def test_resend_reports_an_unknown_company(run: Run, told: Postgres, commented: Postgres) -> None:
    assert run("resend", "nobody") == (1, "", "nobody has no calls.\n")
