"""The people of a company as its administrators keep them: accounts, and the lines that each holds and when."""

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

LOCK = "select from tenants where key = %(tenant)s for no key update"
COLUMNS = "id, tenant, login, name, folded_name, role, disabled_at is not null as disabled, created_at"
PAGE = f"select {COLUMNS} from accounts where tenant = %(tenant)s and {{conditions}} {{order}}"
FOUND = "(folded_name like %(name_part)s or lower(login) like %(login_part)s)"
ONE = f"select {COLUMNS} from accounts where tenant = %(tenant)s and id = %(id)s"
LINES_OF = """
    select account_id, id, address, held_from, held_until
      from lines
     where tenant = %(tenant)s and account_id = any(%(ids)s)
     order by held_from nulls first, address
"""
ADD = """
    insert into accounts (tenant, login, password_hash, name, folded_name, role)
    values (%(tenant)s, %(login)s, %(password_hash)s, %(name)s, %(folded_name)s, %(role)s)
    returning id
"""
# What was issued is worth nothing once the role or the password is another, or nobody may come in.
CHANGE = """
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
ADMINISTERED = """
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
HOLD = """
    insert into lines (tenant, account_id, address, held_from)
    values (%(tenant)s, %(account_id)s, %(address)s, %(held_from)s)
    returning id, address, held_from, held_until
"""
HOLD_UNTIL = """
    update lines set held_until = %(held_until)s
     where id = %(id)s
    returning id, address, held_from, held_until
"""
HOLDER = """
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
    """What is None stays as it is."""

    name: str | None = None
    role: Role | None = None
    password_hash: str | None = None
    disabled: bool | None = None


def lock(conn: Connection[Any], tenant: str) -> None:
    """Be the only one who changes the company's people until the transaction ends."""
    conn.execute(LOCK, {"tenant": tenant})


def accounts(conn: Connection[Any], tenant: str, q: str | None, limit: int, after: Place | None) -> Page:
    """By name, each with its lines; `q` is part of a name or a login."""
    found = [FOUND] if q else []
    parts = {"name_part": containing(fold(q)), "login_part": containing(q.strip().lower())} if q else {}
    rows, after = page(conn, PAGE, {"tenant": tenant, **parts}, "folded_name", limit, after, *found)
    return Page(_with_lines(conn, tenant, rows), after)


def account(conn: Connection[Any], tenant: str, account_id: UUID) -> Row:
    """With its lines. Raises NotFound."""
    [row] = _with_lines(conn, tenant, [one(conn, ONE, {"tenant": tenant, "id": account_id})])
    return row


def _with_lines(conn: Connection[Any], tenant: str, rows: Sequence[Row]) -> list[Row]:
    held: dict[UUID, list[Row]] = {row["id"]: [] for row in rows}
    wanted = {"tenant": tenant, "ids": list(held)}
    for line in conn.cursor(row_factory=dict_row).execute(LINES_OF, wanted):
        held[line.pop("account_id")].append(line)
    return [row | {"role": Role(row["role"]), "lines": held[row["id"]]} for row in rows]


def add(
    conn: Connection[Any], tenant: str, login: str, password_hash: str, name: str, role: Role, lines: Sequence[NewLine]
) -> Row:
    """Raises Conflict for a login that is taken and for a line that is held by somebody."""
    lock(conn, tenant)
    new = {"tenant": tenant, "login": login, "password_hash": password_hash, "role": role}
    try:
        with conn.transaction():
            row = one(conn, ADD, {**new, "name": name, "folded_name": fold(name)})
    except UniqueViolation as error:
        raise Conflict(f"The login {login} is taken.") from error
    for line in lines:
        hold(conn, tenant, row["id"], *line)
    return account(conn, tenant, row["id"])


def change(conn: Connection[Any], tenant: str, account_id: UUID, changes: Change, at: datetime) -> Row:
    """Call it under the `lock`. Raises Conflict where nobody would be left who may administer the company."""
    values = changes._asdict() | {"folded_name": changes.name and fold(changes.name)}
    conn.execute(CHANGE, {**values, "tenant": tenant, "id": account_id, "at": at})
    if conn.execute(ADMINISTERED, {"tenant": tenant}).fetchone() is None:
        raise Conflict("This is the last administrator: name another one first.")
    return account(conn, tenant, account_id)


def password_hash(conn: Connection[Any], account_id: UUID) -> str:
    """Raises NotFound."""
    found: str = one(conn, PASSWORD_HASH, {"id": account_id})["password_hash"]
    return found


def replace_password(conn: Connection[Any], account_id: UUID, old: str, new: str) -> None:
    """The hash of another password, which ends every session. Raises Conflict if `old` is not the one any more."""
    if conn.execute(REPLACE_PASSWORD, {"id": account_id, "old": old, "new": new}).rowcount == 0:
        raise Conflict("The password has been changed meanwhile.")


def lines(conn: Connection[Any], tenant: str, account_id: UUID, limit: int, after: Place | None) -> Page:
    """Every line that the account holds or has held, by address."""
    return page(conn, LINES, {"tenant": tenant, "account_id": account_id}, "address", limit, after)


def line(conn: Connection[Any], tenant: str, account_id: UUID, line_id: UUID) -> Row:
    """Raises NotFound."""
    return one(conn, LINE, {"tenant": tenant, "account_id": account_id, "id": line_id})


def hold(conn: Connection[Any], tenant: str, account_id: UUID, address: str, held_from: datetime | None) -> Row:
    """The account holds the address from then on. Raises Conflict that says who does at any time after."""
    held = {"tenant": tenant, "account_id": account_id, "address": address, "held_from": held_from}
    return _held(conn, HOLD, {**held, "held_until": None, "id": None})


def hold_until(conn: Connection[Any], tenant: str, held: Row, held_until: datetime | None) -> Row:
    """The line is held until then; None: still. Raises Conflict as `hold`, and Invalid for a time before it was."""
    if held_until and held["held_from"] and held_until <= held["held_from"]:
        raise Invalid("The line was not held yet.", {"until": ["Is not after from."]})
    return _held(conn, HOLD_UNTIL, {**held, "tenant": tenant, "held_until": held_until})


def _held(conn: Connection[Any], statement: str, held: Mapping[str, Any]) -> Row:
    try:
        with conn.transaction():
            return one(conn, statement, held)
    except ExclusionViolation as error:
        raise Conflict(_whose(held["address"], one(conn, HOLDER, held))) from error


def _whose(address: str, holder: Row) -> str:
    since = f"from {instant(holder['held_from'])}" if holder["held_from"] else "since ever"
    until = f"until {instant(holder['held_until'])}" if holder["held_until"] else "still"
    return f"{address} is held by {holder['name']}, {since}, {until}."
