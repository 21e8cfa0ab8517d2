"""Handlers of recordings against PostgreSQL: event, row and outbox together; retention."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.recordings import garbage_collection, handlers, queries
from services.recordings.domain.recording import AudioFile
from services.recordings.folder import FolderStore
from shared.contracts.errors import NotFound
from shared.contracts.recordings.events import Format
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres

TENANT, OTHER = "oselia", "krynytsia"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOUND = AudioFile(format=Format.WAV, duration=timedelta(seconds=1), size=10, sha256="a" * 64, peaks=[1, 2])


def stored(db: Postgres, tenant: str = TENANT, days_ago: int = 0) -> UUID:
    call_id = uuid4()
    with clock.fixed(NOON - timedelta(days=days_ago)), db.connection() as conn:
        assert handlers.store_recording(conn, tenant, call_id, uuid4(), SOUND)
    return call_id


def settings_message(tenant: str, days: int | None, version: int = 1) -> dict[str, object]:
    data: dict[str, object] = {"time_zone": "Europe/Kyiv", "region": "UA", "currency": "UAH", "retention_days": days}
    data |= {"price_delay_seconds": None, "returned_window_hours": None}
    return {"tenant": tenant, "version": version, "type": "settings_changed", "schema_version": 1, "data": data}


def delete_expired(db: Postgres) -> list[UUID]:
    with clock.fixed(NOON), db.connection() as conn:
        return handlers.delete_expired(conn)


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
        handlers.record_listening(conn, TENANT, call_id, uuid4())
        assert outbox(conn) == ["recording_stored", "recording_listened"]
        assert [event["type"] for event in queries.timeline(conn, TENANT, call_id)] == outbox(conn)
        assert queries.peaks(conn, TENANT, call_id) == [1, 2]


def test_a_repeated_deletion_gets_the_same_response(recordings_db: Postgres):
    call_id, command_id, account = stored(recordings_db), uuid4(), uuid4()
    answers = []
    for _ in range(2):
        with recordings_db.connection() as conn:
            answers.append(handlers.delete(conn, command_id, TENANT, call_id, account))
    assert answers[0] == answers[1]
    with pytest.raises(NotFound), recordings_db.connection() as conn:
        handlers.delete(conn, uuid4(), TENANT, call_id, account)


def test_recordings_of_another_tenant_are_not_found(recordings_db: Postgres):
    call_id = stored(recordings_db, OTHER)
    with recordings_db.connection() as conn:
        assert queries.get(conn, TENANT, call_id) is None
        with pytest.raises(NotFound):
            handlers.store_recording(conn, TENANT, call_id, uuid4(), SOUND)
        with pytest.raises(NotFound):
            handlers.record_listening(conn, TENANT, call_id, uuid4())


def test_recordings_are_deleted_after_the_retention_period(recordings_db: Postgres):
    old, young = stored(recordings_db, days_ago=31), stored(recordings_db, days_ago=29)
    other_tenants = stored(recordings_db, OTHER, days_ago=1000)
    assert delete_expired(recordings_db) == []
    with recordings_db.connection() as conn:
        handlers.save_settings(conn, [settings_message(TENANT, 30), settings_message(OTHER, None)])
    assert len(delete_expired(recordings_db)) == 1
    assert delete_expired(recordings_db) == []
    found = status(recordings_db, old), status(recordings_db, young), status(recordings_db, other_tenants, OTHER)
    assert found == ("deleted", "available", "available")


def test_expired_recordings_are_deleted_from_the_store_and_published(recordings_db: Postgres, tmp_path: Path):
    objects, number = FolderStore(tmp_path), handlers.RETENTION_BATCH_SIZE + 1
    for object_id in [uuid4() for _ in range(number)]:
        (objects.incoming / "x").write_bytes(b"x")
        objects.put(object_id, objects.incoming / "x")
        with clock.fixed(NOON - timedelta(days=31)), recordings_db.connection() as conn:
            handlers.store_recording(conn, TENANT, object_id, object_id, SOUND)
    with recordings_db.connection() as conn:
        handlers.save_settings(conn, [settings_message(TENANT, 30)])
        conn.execute("delete from outbox")
    with clock.fixed(NOON):
        garbage_collection.delete_expired(recordings_db, objects)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with recordings_db.connection() as conn:
        assert outbox(conn) == ["recording_deleted"] * number
        [stored_event, deleted] = queries.timeline(conn, TENANT, object_id)
        assert (deleted["type"], deleted["by"], deleted["data"]["reason"]) == ("recording_deleted", None, "retention")
        assert stored_event["data"]["sha256"] == SOUND.sha256


def test_settings_with_an_older_version_are_ignored(recordings_db: Postgres):
    stored(recordings_db, days_ago=31)
    with recordings_db.connection() as conn:
        handlers.save_settings(conn, [settings_message(TENANT, None, 2)])
        handlers.save_settings(conn, [settings_message(TENANT, 30, 1)])
    assert delete_expired(recordings_db) == []


def test_concurrent_retention_runs_do_not_block_each_other(recordings_db: Postgres):
    stored(recordings_db, days_ago=31)
    with recordings_db.connection() as conn:
        handlers.save_settings(conn, [settings_message(TENANT, 30)])
    with clock.fixed(NOON), recordings_db.connection() as first, recordings_db.connection() as second:
        assert len(handlers.delete_expired(first)) == 1
        assert handlers.delete_expired(second) == []


def test_resend_publishes_the_current_state_of_recordings(recordings_db: Postgres):
    calls = sorted(stored(recordings_db) for _ in range(3))
    stored(recordings_db, OTHER)
    with recordings_db.connection() as conn:
        conn.execute("delete from outbox")
        answer = handlers.resend(conn, uuid4(), TENANT, None, None, 2)
        assert answer == {"sent": 2, "last": str(calls[1])}
        assert handlers.resend(conn, uuid4(), TENANT, None, calls[1], 2)["sent"] == 1
        assert outbox(conn) == ["recording_stored"] * 3
