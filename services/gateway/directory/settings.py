"""What a company has set for itself, and how the owners of calls, prices and recordings hear of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from psycopg import Connection as AnyConnection

from services.gateway.http.pagination import Row, one
from shared.contracts.event import Recorded
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.gateway.schemas import SettingsChangedSchema
from shared.plumbing import logs, store
from shared.plumbing.database import Connection

COLUMNS = "time_zone, region, price_delay_seconds, returned_window_hours, retention_days, currency"
SETTINGS = f"select {COLUMNS} from tenants where key = %(tenant)s"
CHANGE = f"""
    update tenants
       set ({COLUMNS}) = row (%(time_zone)s, %(region)s, %(price_delay_seconds)s, %(returned_window_hours)s,
                              %(retention_days)s, %(currency)s),
           settings_version = settings_version + 1
     where key = %(tenant)s
    returning key, settings_version, {COLUMNS}
"""
LOCK = f"{SETTINGS} for no key update"
SOME = f"select key, settings_version, {COLUMNS} from tenants where key > %(after)s order by key limit %(most)s"
TOLD_AT_ONCE = 500
STATE = SettingsChangedSchema()


def settings(conn: AnyConnection[Any], tenant: str) -> Row:
    """None stands for what the installation has."""
    return one(conn, SETTINGS, {"tenant": tenant})


def change(conn: Connection, tenant: str, changes: Mapping[str, Any], at: datetime) -> Row:
    """All settings after these changes, which the owners are told when there are any."""
    before = one(conn, LOCK, {"tenant": tenant})
    after: Row = {**before, **changes}
    if after != before:
        _tell(conn, [one(conn, CHANGE, {**after, "tenant": tenant})], at)
    return after


def tell_again(conn: Connection, after: str, at: datetime) -> str | None:
    """Say once more what some companies have set, after that company; the last of them, None when there is none.

    For owners that listen for the first time, or have lost what they knew.
    """
    rows = conn.execute(SOME, {"after": after, "most": TOLD_AT_ONCE}).fetchall()
    names = ["key", "settings_version", *COLUMNS.split(", ")]
    _tell(conn, [dict(zip(names, row, strict=True)) for row in rows], at)
    return rows[-1][0] if rows else None


def _tell(conn: Connection, rows: list[Row], at: datetime) -> None:
    said = [_recorded(row, at) for row in rows]
    store.resend(conn, [(recorded, STATE.dump(recorded.event)) for recorded in said])


def _recorded(row: Row, at: datetime) -> Recorded:
    about = {name: value for name, value in row.items() if name not in ("key", "settings_version")}
    return Recorded(
        id=uuid4(),
        tenant=row["key"],
        stream=f"settings-{row['key']}",
        version=row["settings_version"],
        recorded_at=at,
        correlation_id=logs.correlation_id(),
        event=SettingsChanged(**about),
    )
