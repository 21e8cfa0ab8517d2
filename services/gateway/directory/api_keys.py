"""The keys of a company's machines, of which only a hash is kept."""

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

PAGE = """
    select id, kind, name, created_at, last_used_at
      from api_keys
     where tenant = %(tenant)s and revoked_at is null and {conditions} {order}
"""
ADD = """
    insert into api_keys (tenant, kind, name, digest, created_at)
    values (%(tenant)s, %(kind)s, %(name)s, %(digest)s, %(at)s)
    returning id
"""
REVOKE = "update api_keys set revoked_at = %(at)s where tenant = %(tenant)s and id = %(id)s and revoked_at is null"


def api_keys(conn: Connection[Any], tenant: str, limit: int, after: Place | None) -> Page:
    """Those that open a door, by name."""
    found = page(conn, PAGE, {"tenant": tenant}, "name", limit, after)
    return found._replace(rows=[row | {"kind": KeyKind(row["kind"])} for row in found.rows])


def add(conn: Connection[Any], tenant: str, kind: KeyKind, name: str, at: datetime) -> Row:
    """The id and the key, which is told this once."""
    key = token_urlsafe(RANDOM_BYTES)
    new = {"tenant": tenant, "kind": kind, "name": name, "digest": digest_of(key), "at": at}
    return one(conn, ADD, new) | {"key": key}


def revoke(conn: Connection[Any], tenant: str, key_id: UUID, at: datetime) -> None:
    """Raises NotFound for a key that is not there any more."""
    if conn.execute(REVOKE, {"tenant": tenant, "id": key_id, "at": at}).rowcount == 0:
        raise NotFound
