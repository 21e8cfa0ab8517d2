"""Who is asked about with many others is the same as who is asked about alone."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.gateway.auth import active_callers
from services.gateway.directory import repository
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway.event_factories import NOON, TENANT

KEY = "an-export-key-0123456789"


@pytest.fixture
def account_id(gateway_db: Postgres) -> UUID:
    with gateway_db.connection() as conn:
        repository.ensure_tenant(conn, TENANT, TENANT)
        conn.execute("update tenants set time_zone = 'Europe/Warsaw', region = 'PL'")
        repository.ensure_api_key(conn, TENANT, "export", "test", KEY)
        made = repository.ensure_account(conn, TENANT, "olha", "x", "Ольга Кобилянська", "operator")
        for line in ("101", "102"):
            repository.ensure_line(conn, made, line, NOON)
    return made


def begun(conn: Connection) -> UUID:
    credentials = repository.credentials(conn, TENANT, "olha")
    assert credentials
    return repository.begin_session(conn, credentials, NOON, NOON + timedelta(hours=12))


def test_a_session_and_a_key_are_found_as_the_directory_finds_them(gateway_db: Postgres, account_id: UUID):
    with gateway_db.connection() as conn:
        session_id, key = begun(conn), repository.api_key(conn, repository.digest_of(KEY))
        assert key
        found = active_callers.active_callers(conn, [session_id, key.id, uuid4()], NOON)
        alone = repository.account_of(conn, account_id, session_id, NOON)
    assert found == {session_id: alone, key.id: key}


@pytest.mark.parametrize(
    "change",
    [
        "update accounts set disabled_at = now()",
        "update accounts set session_version = session_version + 1",
        "update sessions set ended_at = now()",
        "update sessions set expires_at = began_at",
    ],
)
def test_a_disabled_account_or_an_ended_session_is_not_active(gateway_db: Postgres, account_id: UUID, change: str):
    with gateway_db.connection() as conn:
        session_id = begun(conn)
        conn.execute(change)
        assert active_callers.active_callers(conn, [session_id], NOON) == {}


def test_a_revoked_key_is_not_found(gateway_db: Postgres, account_id: UUID):
    with gateway_db.connection() as conn:
        key = repository.api_key(conn, repository.digest_of(KEY))
        assert key
        conn.execute("update api_keys set revoked_at = now()")
        assert active_callers.active_callers(conn, [key.id], NOON) == {}
