"""Who is asked about with many others is the same as who is asked about alone."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.gateway import callers, directory
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway.told import NOON, TENANT

KEY = "an-export-key-0123456789"


@pytest.fixture
def account_id(gateway_db: Postgres) -> UUID:
    with gateway_db.connection() as conn:
        directory.ensure_tenant(conn, TENANT, TENANT)
        conn.execute("update tenants set time_zone = 'Europe/Warsaw', region = 'PL'")
        directory.ensure_api_key(conn, TENANT, "export", "test", KEY)
        made = directory.ensure_account(conn, TENANT, "olha", "x", "Ольга Кобилянська", "operator")
        for line in ("101", "102"):
            directory.ensure_line(conn, made, line, NOON)
    return made


def begun(conn: Connection) -> UUID:
    credentials = directory.credentials(conn, TENANT, "olha")
    assert credentials
    return directory.begin_session(conn, credentials, NOON, NOON + timedelta(hours=12))


def test_a_session_and_a_key_are_found_as_the_directory_finds_them(gateway_db: Postgres, account_id: UUID):
    with gateway_db.connection() as conn:
        session_id, key = begun(conn), directory.api_key(conn, directory.digest_of(KEY))
        assert key
        found = callers.still_in(conn, [session_id, key.id, uuid4()], NOON)
        alone = directory.account_of(conn, account_id, session_id, NOON)
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
def test_who_may_no_longer_come_in_is_not_found(gateway_db: Postgres, account_id: UUID, change: str):
    with gateway_db.connection() as conn:
        session_id = begun(conn)
        conn.execute(change)
        assert callers.still_in(conn, [session_id], NOON) == {}


def test_a_revoked_key_is_not_found(gateway_db: Postgres, account_id: UUID):
    with gateway_db.connection() as conn:
        key = directory.api_key(conn, directory.digest_of(KEY))
        assert key
        conn.execute("update api_keys set revoked_at = now()")
        assert callers.still_in(conn, [key.id], NOON) == {}
