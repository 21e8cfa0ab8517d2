"""Look up many callers at once: which of them still have a valid session or key. Open streams check every second."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account, Line
from services.gateway.domain.permissions import Caller
from shared.contracts.values import Role

ACCOUNTS = """
    select sessions.id as session_id, accounts.id, accounts.tenant, login, accounts.name, role, time_zone, region
      from sessions
      join accounts on accounts.id = sessions.account_id
      join tenants on tenants.key = accounts.tenant
     where sessions.id = any(%(credential_ids)s)
       and sessions.session_version = accounts.session_version
       and sessions.ended_at is null
       and sessions.expires_at > %(at)s
       and accounts.disabled_at is null
"""
LINES = """
    select account_id, id, address, held_from, held_until
      from lines
     where account_id = any(%(account_ids)s)
     order by held_from nulls first, address
"""
KEYS = """
    select id, tenant, kind, time_zone, region
      from api_keys
      join tenants on tenants.key = api_keys.tenant
     where id = any(%(credential_ids)s) and revoked_at is null
"""


def active_callers(conn: Connection[Any], credential_ids: Collection[UUID], at: datetime) -> dict[UUID, Caller]:
    """Callers by the id of their session or key, as they are now. Ended sessions and revoked keys are left out."""
    cursor, values = conn.cursor(row_factory=dict_row), {"credential_ids": list(credential_ids), "at": at}
    accounts = cursor.execute(ACCOUNTS, values).fetchall()
    lines = _lines(conn, {row["id"] for row in accounts})
    callers: dict[UUID, Caller] = {
        row.pop("session_id"): Account(role=Role(row.pop("role")), lines=tuple(lines[row["id"]]), **row)
        for row in accounts
    }
    keys = cursor.execute(KEYS, values).fetchall()
    return callers | {row["id"]: ApiKey(kind=KeyKind(row.pop("kind")), **row) for row in keys}


def _lines(conn: Connection[Any], account_ids: Collection[UUID]) -> dict[UUID, list[Line]]:
    by_account: dict[UUID, list[Line]] = defaultdict(list)
    for account_id, *line in conn.execute(LINES, {"account_ids": list(account_ids)}):
        by_account[account_id].append(
            Line(**dict(zip(("id", "address", "held_from", "held_until"), line, strict=True)))
        )
    return by_account
