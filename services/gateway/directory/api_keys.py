"""The API keys of a company. Only a hash of each key is stored."""

from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from psycopg import Connection

from services.gateway.directory.repository import digest_of
from services.gateway.domain.keys import KeyKind
from services.gateway.http.cursors import Place
from services.gateway.http.pagination import Page, Row, one, page
from shared.contracts.errors import NotFound

RANDOM_BYTES = 32

API_KEYS = """
    select id, kind, name, created_at, last_used_at
      from api_keys
     where tenant = %(tenant)s and revoked_at is null and {conditions} {order}
"""
ADD_API_KEY = """
    insert into api_keys (tenant, kind, name, digest, created_at)
    values (%(tenant)s, %(kind)s, %(name)s, %(digest)s, %(at)s)
    returning id
"""
VALID_API_KEY = "select id from api_keys where tenant = %(tenant)s and id = %(id)s and revoked_at is null"
REVOKE_API_KEY = (
    "update api_keys set revoked_at = %(at)s where tenant = %(tenant)s and id = %(id)s and revoked_at is null"
)


def api_keys(conn: Connection[Any], tenant: str, limit: int, after: Place | None) -> Page:
    """A page of the keys that are not revoked, by name."""
    keys = page(conn, API_KEYS, {"tenant": tenant}, "name", limit, after)
    return keys._replace(rows=[row | {"kind": KeyKind(row["kind"])} for row in keys.rows])


def add(conn: Connection[Any], tenant: str, kind: KeyKind, name: str, at: datetime) -> Row:
    """Create a key; returns its id and the key itself, which cannot be read again."""
    key = token_urlsafe(RANDOM_BYTES)
    new = {"tenant": tenant, "kind": kind, "name": name, "digest": digest_of(key), "at": at}
    return one(conn, ADD_API_KEY, new) | {"key": key}


def require(conn: Connection[Any], tenant: str, key_id: UUID) -> None:
    """Raises NotFound for a key that does not exist or is revoked."""
    one(conn, VALID_API_KEY, {"tenant": tenant, "id": key_id})


def revoke(conn: Connection[Any], tenant: str, key_id: UUID, at: datetime) -> None:
    """Revoke a key. Raises NotFound for a key that does not exist or is revoked already."""
    if conn.execute(REVOKE_API_KEY, {"tenant": tenant, "id": key_id, "at": at}).rowcount == 0:
        raise NotFound
