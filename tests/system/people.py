"""Two companies: `acme` with people of every role, and `other` with an administrator."""

from datetime import UTC, datetime

from psycopg import Connection

from services.gateway.directory import repository

KEYS = {"acme": "acme-ingest-key-0123456789", "other": "other-ingest-key-0123456789"}
PEOPLE = {
    "admin": ("Адміністратор Ада", "administrator", "100"),
    "super": ("Супервайзер Соломія", "supervisor", "109"),
    "olha": ("Ольга Кобилянська", "operator", "101"),
    "petro": ("Петро Вовк", "operator", "102"),
    "lesia": ("Леся Рахівниця", "accountant", "120"),
}
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def move_in(conn: Connection, password: str) -> None:
    for tenant, key in KEYS.items():
        repository.ensure_tenant(conn, tenant, tenant)
        repository.ensure_api_key(conn, tenant, "ingest", "exchange", key)
    for login, (name, role, line) in PEOPLE.items():
        account = repository.ensure_account(conn, "acme", login, password, name, role)
        repository.ensure_line(conn, account, line, SINCE)
    repository.ensure_account(conn, "other", "foreign", password, "Чужий", "administrator")
    repository.ensure_contact(conn, "acme", "+380501112233", "Катерина Власова")
