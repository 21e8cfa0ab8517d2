"""Two companies: `acme` with people of every role, and `other` with an administrator."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from services.gateway import directory
from shared.contracts.topology import OWNERS
from shared.plumbing.database import Postgres
from shared.testing import system as whole
from shared.testing.infrastructure import Broker, Services, Stack, emptied
from shared.testing.system import PASSWORD, System

KEYS = {"acme": "acme-ingest-key-0123456789", "other": "other-ingest-key-0123456789"}
PEOPLE = {
    "admin": ("Адміністратор Ада", "administrator", "100"),
    "super": ("Супервайзер Соломія", "supervisor", "109"),
    "olha": ("Ольга Кобилянська", "operator", "101"),
    "petro": ("Петро Вовк", "operator", "102"),
    "lesia": ("Леся Рахівниця", "accountant", "120"),
}
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    Broker(stack.admin_uri).purge()
    services = Services(stack, tmp_path_factory.mktemp("services"))
    with ExitStack() as databases:
        for owner in OWNERS:
            databases.enter_context(emptied(stack, owner))
        _people(databases.enter_context(emptied(stack, "gateway")))
        yield from whole.start(stack, services, KEYS)
        services.stop()


def _people(db: Postgres) -> None:
    with db.connection() as conn:
        for tenant, key in KEYS.items():
            directory.ensure_tenant(conn, tenant, tenant)
            directory.ensure_api_key(conn, tenant, "ingest", "exchange", key)
        for login, (name, role, line) in PEOPLE.items():
            account = directory.ensure_account(conn, "acme", login, PASSWORD, name, role)
            directory.ensure_line(conn, account, line, SINCE)
        directory.ensure_account(conn, "other", "foreign", PASSWORD, "Чужий", "administrator")
        directory.ensure_contact(conn, "acme", "+380501112233", "Катерина Власова")
