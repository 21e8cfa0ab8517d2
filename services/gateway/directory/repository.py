"""People, their roles, lines and sessions, the contacts of a company, and the keys of its machines."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.errors import ExclusionViolation
from psycopg.rows import dict_row

from services.gateway.directory import passwords
from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.naming import fold
from services.gateway.domain.people import Account, Line
from shared.contracts.addresses import normalise
from shared.contracts.errors import Conflict, Invalid, NotFound
from shared.contracts.values import Role

NAMES = """
    select lines.address, accounts.name, accounts.id, lines.held_from, lines.held_until
      from lines
      join accounts on accounts.id = lines.account_id
     where lines.tenant = %(tenant)s and lines.address = any(%(addresses)s)
     union all
    select number, name, null, null, null
      from contacts
     where tenant = %(tenant)s and number = any(%(addresses)s)
"""
REGION = "select region from tenants where key = %(tenant)s"
ACCOUNT_NAMES = """
    select id::text, name
      from accounts
     where tenant = %(tenant)s and id = any(%(ids)s::uuid[])
"""
CREDENTIALS = """
    select id, tenant, password_hash, session_version
      from accounts
     where login = %(login)s and tenant = coalesce(%(tenant)s, tenant) and disabled_at is null
     limit 2
"""
REHASH = """
    update accounts
       set password_hash = %(new)s
     where id = %(account_id)s and password_hash = %(old)s
"""
BEGIN_SESSION = """
    insert into sessions (id, account_id, session_version, began_at, expires_at)
    values (%(id)s, %(account_id)s, %(session_version)s, %(at)s, %(expires_at)s)
"""
FORGET_SESSIONS = "delete from sessions where account_id = %(account_id)s and expires_at < %(at)s"
END_SESSION = "update sessions set ended_at = %(at)s where id = %(id)s and ended_at is null"
ACCOUNT = """
    select accounts.id, accounts.tenant, login, accounts.name, role, time_zone, region
      from sessions
      join accounts on accounts.id = sessions.account_id
      join tenants on tenants.key = accounts.tenant
     where sessions.id = %(session_id)s
       and sessions.account_id = %(account_id)s
       and sessions.session_version = accounts.session_version
       and sessions.ended_at is null
       and sessions.expires_at > %(at)s
       and accounts.disabled_at is null
"""
LINES = """
    select id, address, held_from, held_until
      from lines
     where tenant = %(tenant)s and account_id = %(account_id)s
     order by held_from nulls first, address
"""
API_KEY = """
    select id, tenant, kind, time_zone, region
      from api_keys
      join tenants on tenants.key = api_keys.tenant
     where digest = %(digest)s and revoked_at is null
"""
DIGEST = "select digest from api_keys where id = %(id)s and revoked_at is null"
USE_API_KEY = """
    update api_keys
       set last_used_at = %(at)s
     where id = %(id)s and (last_used_at is null or last_used_at < %(unless_since)s)
"""
ENSURE_TENANT = """
    insert into tenants (key, name) values (%(key)s, %(name)s)
        on conflict (key) do update set name = excluded.name
"""
ENSURE_ACCOUNT = """
    insert into accounts (tenant, login, password_hash, name, folded_name, role)
    values (%(tenant)s, %(login)s, %(password_hash)s, %(name)s, %(folded_name)s, %(role)s)
        on conflict (tenant, login) do update
       set name = excluded.name,
           folded_name = excluded.folded_name,
           role = excluded.role,
           password_hash = excluded.password_hash,
           disabled_at = null,
           session_version = accounts.session_version
               + (accounts.role <> excluded.role or accounts.password_hash <> excluded.password_hash)::int
    returning id
"""
STORED_HASH = "select password_hash from accounts where tenant = %(tenant)s and login = %(login)s"
ENSURE_LINE = """
    insert into lines (tenant, account_id, address, held_from)
    select tenant, id, %(address)s, %(held_from)s
      from accounts
     where id = %(account_id)s
       and not exists (select from lines where account_id = %(account_id)s and address = %(address)s
                          and held_from is not distinct from %(held_from)s)
"""
TENANT_OF = "select tenant, region from accounts join tenants on key = tenant where id = %(account_id)s"
ENSURE_CONTACT = """
    insert into contacts (tenant, number, name, folded_name, note)
    values (%(tenant)s, %(number)s, %(name)s, %(folded_name)s, %(note)s)
        on conflict (tenant, number) do update
       set name = excluded.name, folded_name = excluded.folded_name, note = excluded.note, updated_at = now()
     where (contacts.name, contacts.note) is distinct from (excluded.name, excluded.note)
"""
ENSURE_API_KEY = """
    insert into api_keys (tenant, kind, name, digest) values (%(tenant)s, %(kind)s, %(name)s, %(digest)s)
        on conflict (digest) do nothing
"""
REVOKE_OTHER_KEYS = """
    update api_keys
       set revoked_at = now()
     where tenant = %(tenant)s and kind = %(kind)s and name = %(name)s and digest <> %(digest)s and revoked_at is null
"""


class Holder(NamedTuple):
    """Who held an address, and when."""

    held_from: datetime | None
    held_until: datetime | None
    account_id: UUID
    name: str

    def held(self, at: datetime) -> bool:
        return (self.held_from is None or self.held_from <= at) and (self.held_until is None or at < self.held_until)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of some addresses: employees by their lines, others as Contacts knows them."""

    holders: Mapping[str, Collection[Holder]]
    contacts: Mapping[str, str]

    def employee(self, address: str, at: datetime) -> tuple[UUID, str] | None:
        """The account that held the address at that instant, and its name."""
        held = (holder for holder in self.holders.get(address, ()) if holder.held(at))
        return next(((holder.account_id, holder.name) for holder in held), None)

    def contact(self, number: str) -> str | None:
        return self.contacts.get(number)


class Credentials(NamedTuple):
    """What a password is held against. A session counts only while `session_version` is its account's."""

    account_id: UUID
    tenant: str
    password_hash: str
    session_version: int


def names(conn: Connection[Any], tenant: str, addresses: Collection[str]) -> Names:
    holders: dict[str, list[Holder]] = {}
    contacts: dict[str, str] = {}
    found = conn.execute(NAMES, {"tenant": tenant, "addresses": list(addresses)})
    for address, name, account_id, held_from, held_until in found:
        if account_id is None:
            contacts[address] = name
        else:
            holders.setdefault(address, []).append(Holder(held_from, held_until, account_id, name))
    return Names(holders, contacts)


def account_names(conn: Connection[Any], tenant: str, ids: Collection[str]) -> dict[str, str]:
    """The names of accounts by their ids; of those alone that are the tenant's."""
    return dict(conn.execute(ACCOUNT_NAMES, {"tenant": tenant, "ids": list(ids)}).fetchall())


def credentials(conn: Connection[Any], tenant: str | None, login: str) -> Credentials | None:
    """Raises Invalid when no tenant is named and the login is not unique in the system."""
    found = conn.execute(CREDENTIALS, {"tenant": tenant, "login": login}).fetchall()
    if len(found) > 1:
        raise Invalid("tenant_required", field="tenant")
    return Credentials(*found[0]) if found else None


def replace_hash(conn: Connection[Any], account_id: UUID, old: str, new: str) -> None:
    """Put another hash of the same password in place, unless the password has been changed meanwhile."""
    conn.execute(REHASH, {"account_id": account_id, "old": old, "new": new})


def begin_session(conn: Connection[Any], of: Credentials, at: datetime, expires_at: datetime) -> UUID:
    """A session for who showed these credentials; worthless if they have been changed since."""
    session_id = uuid4()
    session = {"id": session_id, "account_id": of.account_id, "session_version": of.session_version}
    forget_sessions(conn, of.account_id, at)
    conn.execute(BEGIN_SESSION, {**session, "at": at, "expires_at": expires_at})
    return session_id


def forget_sessions(conn: Connection[Any], account_id: UUID, at: datetime) -> None:
    """Drop the sessions of an account whose tokens count no longer by themselves."""
    conn.execute(FORGET_SESSIONS, {"account_id": account_id, "at": at})


def end_session(conn: Connection[Any], session_id: UUID, at: datetime) -> bool:
    """Whether it had not been ended before."""
    return conn.execute(END_SESSION, {"id": session_id, "at": at}).rowcount == 1


def account_of(conn: Connection[Any], account_id: UUID, session_id: UUID, at: datetime) -> Account | None:
    """Who is behind a session; None if it has ended, expired, or its account may no longer come in."""
    wanted = {"account_id": account_id, "session_id": session_id, "at": at}
    row = conn.cursor(row_factory=dict_row).execute(ACCOUNT, wanted).fetchone()
    if row is None:
        return None
    role = Role(row.pop("role"))
    return Account(role=role, lines=account_lines(conn, row["tenant"], account_id), **row)


def account_lines(conn: Connection[Any], tenant: str, account_id: UUID) -> tuple[Line, ...]:
    """Every line that the account holds or has held."""
    rows = conn.cursor(row_factory=dict_row).execute(LINES, {"tenant": tenant, "account_id": account_id})
    return tuple(Line(**row) for row in rows)


def api_key(conn: Connection[Any], digest: bytes) -> ApiKey | None:
    row = conn.cursor(row_factory=dict_row).execute(API_KEY, {"digest": digest}).fetchone()
    return ApiKey(kind=KeyKind(row.pop("kind")), **row) if row else None


def digest_by_id(conn: Connection[Any], key_id: UUID) -> bytes | None:
    """Of a key that is not revoked."""
    row = conn.execute(DIGEST, {"id": key_id}).fetchone()
    return bytes(row[0]) if row else None


def use_api_key(conn: Connection[Any], key_id: UUID, at: datetime, unless_since: datetime) -> None:
    """Note that the key is used now, unless a use since then has been noted."""
    conn.execute(USE_API_KEY, {"id": key_id, "at": at, "unless_since": unless_since})


def digest_of(key: str) -> bytes:
    """All that is kept of an API key. Keys are random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(key.encode()).digest()


def ensure_tenant(conn: Connection[Any], key: str, name: str) -> None:
    conn.execute(ENSURE_TENANT, {"key": key, "name": name})


def ensure_account(conn: Connection[Any], tenant: str, login: str, password: str, name: str, role: str) -> UUID:
    """The id of the account, which now has this password, name and role. New ones end its sessions."""
    account = {"tenant": tenant, "login": login, "name": name, "folded_name": fold(name), "role": role}
    row = conn.execute(STORED_HASH, account).fetchone()
    kept = row[0] if row and passwords.is_right(password, row[0]) else passwords.hash_of(password)
    (account_id,) = conn.execute(ENSURE_ACCOUNT, {**account, "password_hash": kept}).fetchone() or (None,)
    assert isinstance(account_id, UUID)
    return account_id


def ensure_line(conn: Connection[Any], account_id: UUID, address: str, held_from: datetime | None) -> None:
    """The account holds the address from then on. Raises Conflict if another one does, at any time after."""
    tenant, region = conn.execute(TENANT_OF, {"account_id": account_id}).fetchone() or (None, "")
    if tenant is None:
        raise NotFound
    line = {"account_id": account_id, "address": normalise(address, region), "held_from": held_from}
    try:
        with conn.transaction():
            conn.execute(ENSURE_LINE, line)
    except ExclusionViolation as error:
        raise Conflict("line_taken", params={"address": address}) from error


def ensure_contact(conn: Connection[Any], tenant: str, number: str, name: str, note: str | None = None) -> None:
    (region,) = conn.execute(REGION, {"tenant": tenant}).fetchone() or ("",)
    contact = {"tenant": tenant, "number": normalise(number, region), "name": name, "folded_name": fold(name)}
    conn.execute(ENSURE_CONTACT, {**contact, "note": note})


def ensure_api_key(conn: Connection[Any], tenant: str, kind: str, name: str, key: str) -> None:
    """The tenant's key of that kind and name is this one; one it had before is revoked."""
    wanted = {"tenant": tenant, "kind": kind, "name": name, "digest": digest_of(key)}
    conn.execute(REVOKE_OTHER_KEYS, wanted)
    conn.execute(ENSURE_API_KEY, wanted)
