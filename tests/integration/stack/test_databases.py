"""Each service's database is its own, and its application cannot rewrite history."""

import psycopg
import pytest
from psycopg import errors

from shared.contracts.topology import DATABASES, EVENT_SOURCES
from tests.support.infrastructure import Stack, emptied

ROLES = {"owner": "OWNER_DATABASE_URL", "app": "DATABASE_URL", "ro": "RO_DATABASE_URL"}


def url(stack: Stack, service: str, role: str) -> str:
    return stack.env(service)[ROLES[role]]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("other", [*DATABASES, "postgres", "template1"])
@pytest.mark.parametrize("service", DATABASES)
def test_a_role_connects_to_its_services_database_only(stack: Stack, service: str, other: str, role: str) -> None:
    if other == service:
        psycopg.connect(url(stack, service, role)).close()
    else:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url(stack, service, role), dbname=other)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("service", DATABASES)
def test_a_wrong_password_is_refused(stack: Stack, service: str, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url(stack, service, role), password=service)


@pytest.mark.parametrize("change", ["update events set stream = stream", "delete from events", "truncate events"])
@pytest.mark.parametrize("role", ["app", "ro"])
@pytest.mark.parametrize("owner", EVENT_SOURCES)
def test_events_are_never_changed_or_deleted(stack: Stack, owner: str, role: str, change: str) -> None:
    with psycopg.connect(url(stack, owner, role)) as conn, pytest.raises(psycopg.Error) as refused:
        conn.execute(change)
    assert isinstance(refused.value, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction)


@pytest.mark.parametrize("service", DATABASES)
def test_the_reading_role_cannot_write(stack: Stack, service: str) -> None:
    with psycopg.connect(url(stack, service, "ro")) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.commit()
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute("delete from migrations")


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
@pytest.mark.parametrize("service", DATABASES)
def test_what_is_committed_is_on_the_disk(stack: Stack, service: str, setting: str) -> None:
    with psycopg.connect(url(stack, service, "app")) as conn:
        assert conn.execute("select current_setting(%s)", [setting]).fetchone() == ("on",)


@pytest.mark.parametrize("service", DATABASES)
def test_no_application_waits_for_ever(stack: Stack, service: str) -> None:
    with psycopg.connect(url(stack, service, "app")) as conn:
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert conn.execute("select current_setting(%s)", [setting]).fetchone() != ("0",)


@pytest.mark.parametrize("service", DATABASES)
def test_a_statement_has_two_seconds_and_in_work_that_nobody_waits_for_ten(stack: Stack, service: str) -> None:
    with emptied(stack, service) as db:
        for begun, bound in (
            (db.autocommit, "2s"),
            (db.connection, "2s"),
            (db.long_transaction, "10s"),
            (db.autocommit, "2s"),
        ):
            with begun() as conn:
                assert conn.execute("show statement_timeout").fetchone() == (bound,)
