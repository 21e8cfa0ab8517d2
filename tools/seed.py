"""Create the demonstration's companies, accounts, lines and contacts in the gateway's database; write `demo.env`.

Idempotent: passwords and keys are generated once and then read from `demo.env`.
"""

import hmac
import os
from collections.abc import Iterator, Mapping
from secrets import token_urlsafe

from psycopg import Connection, connect

from services.gateway.directory import repository
from tools import demonstration
from tools.demonstration import LINES_HELD_FROM, OTHER_TENANT, TENANT
from tools.simulator.demo_company import NAME, Company, Person, demo_company

OTHER_NAME = "Криниця"
OTHER_ADMIN = Person("other-administrator", "Ганна Левицька", "administrator", "101")
ENV_PREFIXES = {
    "administrator": "ADMIN",
    "supervisor": "SUPERVISOR",
    "operator": "OPERATOR",
    "operator2": "OPERATOR2",
    "accountant": "ACCOUNTANT",
}


def main() -> None:
    path = demonstration.demo_env()
    company = demo_company()
    demo = demo_values(company, os.environ["BASE_URL"], demonstration.read(path))
    with connect(os.environ["DATABASE_URL"]) as conn:
        seed(conn, company, demo)
    demonstration.write(path, demo)


def demo_values(company: Company, base_url: str, earlier: Mapping[str, str]) -> dict[str, str]:
    """The values of `demo.env`; secrets of an earlier file are kept."""
    return dict(_values(company, base_url, earlier))


def seed(conn: Connection, company: Company, demo: Mapping[str, str]) -> None:
    repository.ensure_tenant(conn, TENANT, NAME)
    for person in company.staff:
        _ensure_account(conn, TENANT, person, _password(person, demo))
    for customer in company.contacts:
        repository.ensure_contact(conn, TENANT, customer.number, customer.name)
    repository.ensure_api_key(conn, TENANT, "ingest", "exchange", demo["INGEST_KEY"])
    repository.ensure_tenant(conn, OTHER_TENANT, OTHER_NAME)
    _ensure_account(conn, OTHER_TENANT, OTHER_ADMIN, demo["OTHER_ADMIN_PASSWORD"])
    repository.ensure_api_key(conn, OTHER_TENANT, "ingest", "exchange", demo["OTHER_INGEST_KEY"])


def _ensure_account(conn: Connection, tenant: str, person: Person, password: str) -> None:
    account = repository.ensure_account(conn, tenant, person.login, password, person.name, person.role)
    repository.ensure_line(conn, account, person.line, LINES_HELD_FROM)


def _password(person: Person, demo: Mapping[str, str]) -> str:
    """The password from `demo.env`; for accounts that are not in it, one derived from the administrator's."""
    if person.login in ENV_PREFIXES:
        return demo[f"{ENV_PREFIXES[person.login]}_PASSWORD"]
    return hmac.new(demo["ADMIN_PASSWORD"].encode(), person.login.encode(), "sha256").hexdigest()


def _values(company: Company, base_url: str, earlier: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    people = {person.login: person for person in company.staff}
    yield "BASE_URL", base_url
    yield "TENANT", TENANT
    for login, name in ENV_PREFIXES.items():
        yield f"{name}_LOGIN", login
        yield f"{name}_PASSWORD", _secret(f"{name}_PASSWORD", earlier)
    for login in ("operator", "operator2", "accountant"):
        yield f"{ENV_PREFIXES[login]}_LINE", people[login].line
    yield "INGEST_KEY", _secret("INGEST_KEY", earlier)
    yield "OTHER_TENANT", OTHER_TENANT
    yield "OTHER_ADMIN_LOGIN", OTHER_ADMIN.login
    yield "OTHER_ADMIN_PASSWORD", _secret("OTHER_ADMIN_PASSWORD", earlier)
    yield "OTHER_INGEST_KEY", _secret("OTHER_INGEST_KEY", earlier)


def _secret(name: str, earlier: Mapping[str, str]) -> str:
    return earlier.get(name) or token_urlsafe(18)


if __name__ == "__main__":
    main()
