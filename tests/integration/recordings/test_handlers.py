"""What recordings writes: event, row and outbox together; for as long as the company wants it kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.recordings import garbage_collection, handlers, queries
from services.recordings.domain.recording import Sound
from services.recordings.objects import Folder
from shared.contracts.errors import NotFound
from shared.contracts.recordings.events import Format
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres

TENANT, OTHER = "oselia", "krynytsia"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOUND = Sound(format=Format.WAV, duration=timedelta(seconds=1), size=10, sha256="a" * 64, peaks=[1, 2])


def stored(db: Postgres, tenant: str = TENANT, days_ago: int = 0) -> UUID:
    call_id = uuid4()
    with clock.fixed(NOON - timedelta(days=days_ago)), db.connection() as conn:
        assert handlers.keep(conn, tenant, call_id, uuid4(), SOUND)
    return call_id


def said(tenant: str, days: int | None, version: int = 1) -> dict[str, object]:
    data: dict[str, object] = {"time_zone": "Europe/Kyiv", "region": "UA", "currency": "UAH", "retention_days": days}
    data |= {"price_delay_seconds": None, "returned_window_hours": None}
    return {"tenant": tenant, "version": version, "type": "settings_changed", "schema_version": 1, "data": data}


def swept(db: Postgres) -> list[UUID]:
    with clock.fixed(NOON), db.connection() as conn:
        return handlers.delete_kept_long_enough(conn)


def status(db: Postgres, call_id: UUID, tenant: str = TENANT) -> str:
    with db.autocommit() as conn:
        found = queries.get(conn, tenant, call_id)
    assert found
    return str(found["state"]["status"])


def outbox(conn: Connection) -> list[str]:
    return [key for (key,) in conn.execute("select key from outbox order by position")]


def test_a_recording_is_an_event_a_row_and_a_message(recordings_db: Postgres):
    call_id = stored(recordings_db)
    with recordings_db.connection() as conn:
        handlers.note_listening(conn, TENANT, call_id, uuid4())
        assert outbox(conn) == ["recording_stored", "recording_listened"]
        assert [one["type"] for one in queries.timeline(conn, TENANT, call_id)] == outbox(conn)
        assert queries.peaks(conn, TENANT, call_id) == [1, 2]


def test_a_deletion_sent_twice_is_one_and_both_get_the_same_answer(recordings_db: Postgres):
    call_id, command_id, account = stored(recordings_db), uuid4(), uuid4()
    answers = []
    for _ in range(2):
        with recordings_db.connection() as conn:
            answers.append(handlers.delete(conn, command_id, TENANT, call_id, account))
    assert answers[0] == answers[1]
    with pytest.raises(NotFound), recordings_db.connection() as conn:
        handlers.delete(conn, uuid4(), TENANT, call_id, account)


def test_a_call_of_another_company_has_no_recording_for_us(recordings_db: Postgres):
    call_id = stored(recordings_db, OTHER)
    with recordings_db.connection() as conn:
        assert queries.get(conn, TENANT, call_id) is None
        with pytest.raises(NotFound):
            handlers.keep(conn, TENANT, call_id, uuid4(), SOUND)
        with pytest.raises(NotFound):
            handlers.note_listening(conn, TENANT, call_id, uuid4())


def test_recordings_are_kept_for_as_long_as_their_company_says(recordings_db: Postgres):
    old, young = stored(recordings_db, days_ago=31), stored(recordings_db, days_ago=29)
    theirs = stored(recordings_db, OTHER, days_ago=1000)
    assert swept(recordings_db) == []
    with recordings_db.connection() as conn:
        handlers.keep_settings(conn, [said(TENANT, 30), said(OTHER, None)])
    assert len(swept(recordings_db)) == 1
    assert swept(recordings_db) == []
    found = status(recordings_db, old), status(recordings_db, young), status(recordings_db, theirs, OTHER)
    assert found == ("deleted", "available", "available")


def test_what_was_kept_long_enough_is_gone_from_the_store_and_told_as_deleted(recordings_db: Postgres, tmp_path: Path):
    objects, number = Folder(tmp_path), handlers.SWEPT_AT_ONCE + 1
    for object_id in [uuid4() for _ in range(number)]:
        (objects.incoming / "x").write_bytes(b"x")
        objects.keep(object_id, objects.incoming / "x")
        with clock.fixed(NOON - timedelta(days=31)), recordings_db.connection() as conn:
            handlers.keep(conn, TENANT, object_id, object_id, SOUND)
    with recordings_db.connection() as conn:
        handlers.keep_settings(conn, [said(TENANT, 30)])
        conn.execute("delete from outbox")
    with clock.fixed(NOON):
        garbage_collection.delete_kept_long_enough(recordings_db, objects)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with recordings_db.connection() as conn:
        assert outbox(conn) == ["recording_deleted"] * number
        [stored_, deleted] = queries.timeline(conn, TENANT, object_id)
        assert (deleted["type"], deleted["by"], deleted["data"]["reason"]) == ("recording_deleted", None, "retention")
        assert stored_["data"]["sha256"] == SOUND.sha256


def test_late_news_of_settings_changes_nothing(recordings_db: Postgres):
    stored(recordings_db, days_ago=31)
    with recordings_db.connection() as conn:
        handlers.keep_settings(conn, [said(TENANT, None, 2)])
        handlers.keep_settings(conn, [said(TENANT, 30, 1)])
    assert swept(recordings_db) == []


def test_two_sweepers_do_not_wait_for_each_other(recordings_db: Postgres):
    stored(recordings_db, days_ago=31)
    with recordings_db.connection() as conn:
        handlers.keep_settings(conn, [said(TENANT, 30)])
    with clock.fixed(NOON), recordings_db.connection() as first, recordings_db.connection() as second:
        assert len(handlers.delete_kept_long_enough(first)) == 1
        assert handlers.delete_kept_long_enough(second) == []


def test_a_view_that_lost_recordings_is_told_again(recordings_db: Postgres):
    calls = sorted(stored(recordings_db) for _ in range(3))
    stored(recordings_db, OTHER)
    with recordings_db.connection() as conn:
        conn.execute("delete from outbox")
        answer = handlers.resend(conn, uuid4(), TENANT, None, None, 2)
        assert answer == {"sent": 2, "last": str(calls[1])}
        assert handlers.resend(conn, uuid4(), TENANT, None, calls[1], 2)["sent"] == 1
        assert outbox(conn) == ["recording_stored"] * 3
