"""Administer the accounts of a company and the lines that each account holds, with their periods."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.errors import ExclusionViolation, UniqueViolation
from psycopg.rows import dict_row

from services.gateway.domain.naming import fold
from services.gateway.http.cursors import Place
from services.gateway.http.pagination import Page, Row, containing, one, page
from shared.contracts.errors import Conflict, Invalid
from shared.contracts.values import Role
from shared.contracts.wire import instant

LOCK_TENANT = "select from tenants where key = %(tenant)s for no key update"
COLUMNS = "id, tenant, login, name, folded_name, role, disabled_at is not null as disabled, created_at"
ACCOUNTS = f"select {COLUMNS} from accounts where tenant = %(tenant)s and {{conditions}} {{order}}"
MATCHES_SEARCH = "(folded_name like %(name_part)s or lower(login) like %(login_part)s)"
ACCOUNT = f"select {COLUMNS} from accounts where tenant = %(tenant)s and id = %(id)s"
LINES_OF_ACCOUNTS = """
    select account_id, id, address, held_from, held_until
      from lines
     where tenant = %(tenant)s and account_id = any(%(ids)s)
     order by held_from nulls first, address
"""
ADD_ACCOUNT = """
    insert into accounts (tenant, login, password_hash, name, folded_name, role)
    values (%(tenant)s, %(login)s, %(password_hash)s, %(name)s, %(folded_name)s, %(role)s)
    returning id
"""
# Raising session_version ends the sessions when the role or password changes or the account is disabled.
CHANGE_ACCOUNT = """
    update accounts
       set name = coalesce(%(name)s, name),
           folded_name = coalesce(%(folded_name)s, folded_name),
           role = coalesce(%(role)s, role),
           password_hash = coalesce(%(password_hash)s, password_hash),
           disabled_at = case %(disabled)s::boolean when true then coalesce(disabled_at, %(at)s::timestamptz)
                                                    when false then null else disabled_at end,
           session_version = session_version + (
               %(password_hash)s::text is not null or role <> coalesce(%(role)s, role)
               or coalesce(%(disabled)s::boolean, false) and disabled_at is null)::int
     where tenant = %(tenant)s and id = %(id)s
"""
ANY_ADMINISTRATOR = """
    select from accounts
     where tenant = %(tenant)s and role = 'administrator' and disabled_at is null
     limit 1
"""
PASSWORD_HASH = "select password_hash from accounts where id = %(id)s"
REPLACE_PASSWORD = """
    update accounts
       set password_hash = %(new)s, session_version = session_version + 1
     where id = %(id)s and password_hash = %(old)s
"""
LINES = """
    select id, address, held_from, held_until
      from lines
     where tenant = %(tenant)s and account_id = %(account_id)s and {conditions} {order}
"""
LINE = """
    select id, address, held_from, held_until
      from lines
     where tenant = %(tenant)s and account_id = %(account_id)s and id = %(id)s
"""
ADD_LINE = """
    insert into lines (tenant, account_id, address, held_from)
    values (%(tenant)s, %(account_id)s, %(address)s, %(held_from)s)
    returning id, address, held_from, held_until
"""
END_LINE = """
    update lines set held_until = %(held_until)s
     where id = %(id)s
    returning id, address, held_from, held_until
"""
OVERLAPPING_HOLDER = """
    select accounts.name, held_from, held_until
      from lines
      join accounts on accounts.id = lines.account_id
     where lines.tenant = %(tenant)s and address = %(address)s and lines.id is distinct from %(id)s
       and tstzrange(held_from, held_until) && tstzrange(%(held_from)s, %(held_until)s)
     order by held_from nulls first
     limit 1
"""


class NewLine(NamedTuple):
    address: str
    held_from: datetime | None


class Change(NamedTuple):
    """Changes to an account; None leaves a value as it is."""

    name: str | None = None
    role: Role | None = None
    password_hash: str | None = None
    disabled: bool | None = None


def lock(conn: Connection[Any], tenant: str) -> None:
    """Lock the company's accounts and lines against other changes until the transaction ends."""
    conn.execute(LOCK_TENANT, {"tenant": tenant})


def accounts(conn: Connection[Any], tenant: str, q: str | None, limit: int, after: Place | None) -> Page:
    """A page of accounts by name, each with its lines; `q` is part of a name or a login."""
    conditions = [MATCHES_SEARCH] if q else []
    parts = {"name_part": containing(fold(q)), "login_part": containing(q.strip().lower())} if q else {}
    rows, after = page(conn, ACCOUNTS, {"tenant": tenant, **parts}, "folded_name", limit, after, *conditions)
    return Page(_with_lines(conn, tenant, rows), after)


def account(conn: Connection[Any], tenant: str, account_id: UUID) -> Row:
    """An account with its lines. Raises NotFound."""
    [row] = _with_lines(conn, tenant, [one(conn, ACCOUNT, {"tenant": tenant, "id": account_id})])
    return row


def _with_lines(conn: Connection[Any], tenant: str, rows: Sequence[Row]) -> list[Row]:
    held: dict[UUID, list[Row]] = {row["id"]: [] for row in rows}
    parameters = {"tenant": tenant, "ids": list(held)}
    for line in conn.cursor(row_factory=dict_row).execute(LINES_OF_ACCOUNTS, parameters):
        held[line.pop("account_id")].append(line)
    return [row | {"role": Role(row["role"]), "lines": held[row["id"]]} for row in rows]


def add(
    conn: Connection[Any], tenant: str, login: str, password_hash: str, name: str, role: Role, lines: Sequence[NewLine]
) -> Row:
    """Add an account with its lines. Raises Conflict if the login is taken or another account holds a line."""
    lock(conn, tenant)
    new = {"tenant": tenant, "login": login, "password_hash": password_hash, "role": role}
    try:
        with conn.transaction():
            row = one(conn, ADD_ACCOUNT, {**new, "name": name, "folded_name": fold(name)})
    except UniqueViolation as error:
        raise Conflict("login_taken", params={"login": login}) from error
    for line in lines:
        hold(conn, tenant, row["id"], *line)
    return account(conn, tenant, row["id"])


def change(conn: Connection[Any], tenant: str, account_id: UUID, changes: Change, at: datetime) -> Row:
    """Change an account; call `lock` first. Raises Conflict if no enabled administrator would remain."""
    values = changes._asdict() | {"folded_name": changes.name and fold(changes.name)}
    conn.execute(CHANGE_ACCOUNT, {**values, "tenant": tenant, "id": account_id, "at": at})
    if conn.execute(ANY_ADMINISTRATOR, {"tenant": tenant}).fetchone() is None:
        raise Conflict("last_administrator")
    return account(conn, tenant, account_id)


def password_hash(conn: Connection[Any], account_id: UUID) -> str:
    """The password hash of an account. Raises NotFound."""
    stored: str = one(conn, PASSWORD_HASH, {"id": account_id})["password_hash"]
    return stored


def replace_password(conn: Connection[Any], account_id: UUID, old: str, new: str) -> None:
    """Replace the password hash, which ends every session. Raises Conflict if `old` is no longer the current hash."""
    if conn.execute(REPLACE_PASSWORD, {"id": account_id, "old": old, "new": new}).rowcount == 0:
        raise Conflict("password_changed")


def lines(conn: Connection[Any], tenant: str, account_id: UUID, limit: int, after: Place | None) -> Page:
    """A page of the lines that the account holds or has held, by address."""
    return page(conn, LINES, {"tenant": tenant, "account_id": account_id}, "address", limit, after)


def line(conn: Connection[Any], tenant: str, account_id: UUID, line_id: UUID) -> Row:
    """A line of an account. Raises NotFound."""
    return one(conn, LINE, {"tenant": tenant, "account_id": account_id, "id": line_id})


def hold(conn: Connection[Any], tenant: str, account_id: UUID, address: str, held_from: datetime | None) -> Row:
    """Assign an address to the account from then on. Raises Conflict if another account holds it in that period."""
    held = {"tenant": tenant, "account_id": account_id, "address": address, "held_from": held_from}
    return _write_line(conn, ADD_LINE, {**held, "held_until": None, "id": None})


def hold_until(conn: Connection[Any], tenant: str, held: Row, held_until: datetime | None) -> Row:
    """Set the end of a line's period; None: no end. Raises Conflict as `hold`, and Invalid for an empty period."""
    if held_until and held["held_from"] and held_until <= held["held_from"]:
        raise Invalid("not_after_start", field="until")
    return _write_line(conn, END_LINE, {**held, "tenant": tenant, "held_until": held_until})


def _write_line(conn: Connection[Any], statement: str, held: Mapping[str, Any]) -> Row:
    try:
        with conn.transaction():
            return one(conn, statement, held)
    except ExclusionViolation as error:
        raise _line_taken(held["address"], **one(conn, OVERLAPPING_HOLDER, held)) from error


def _line_taken(address: str, name: str, held_from: datetime | None, held_until: datetime | None) -> Conflict:
    """The conflict with the account that holds the address; an open end of the period is null."""
    since, until = (instant(at) if at else None for at in (held_from, held_until))
    return Conflict("line_taken", params={"address": address, "name": name, "from": since, "until": until})
