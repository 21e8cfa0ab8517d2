"""The settings of a company, and the `settings_changed` events that publish them to the other services."""

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
CHANGE_SETTINGS = f"""
    update tenants
       set ({COLUMNS}) = row (%(time_zone)s, %(region)s, %(price_delay_seconds)s, %(returned_window_hours)s,
                              %(retention_days)s, %(currency)s),
           settings_version = settings_version + 1
     where key = %(tenant)s
    returning key, settings_version, {COLUMNS}
"""
SETTINGS_LOCKED = f"{SETTINGS} for no key update"
SETTINGS_AFTER = (
    f"select key, settings_version, {COLUMNS} from tenants where key > %(after)s order by key limit %(limit)s"
)
MAX_TENANTS_PER_BATCH = 500
STATE = SettingsChangedSchema()


def settings(conn: AnyConnection[Any], tenant: str) -> Row:
    """The settings of a tenant; None means the default of the installation."""
    return one(conn, SETTINGS, {"tenant": tenant})


def change(conn: Connection, tenant: str, changes: Mapping[str, Any], at: datetime) -> Row:
    """Change settings, publish them if they differ, and return all of them."""
    before = one(conn, SETTINGS_LOCKED, {"tenant": tenant})
    after: Row = {**before, **changes}
    if after != before:
        _publish(conn, [one(conn, CHANGE_SETTINGS, {**after, "tenant": tenant})], at)
    return after


def republish(conn: Connection, after: str, at: datetime) -> str | None:
    """Publish the settings of the next batch of tenants again; returns the last tenant's key, None after the end.

    For services that subscribe for the first time or have lost their data.
    """
    rows = conn.execute(SETTINGS_AFTER, {"after": after, "limit": MAX_TENANTS_PER_BATCH}).fetchall()
    names = ["key", "settings_version", *COLUMNS.split(", ")]
    _publish(conn, [dict(zip(names, row, strict=True)) for row in rows], at)
    return rows[-1][0] if rows else None


def _publish(conn: Connection, rows: list[Row], at: datetime) -> None:
    events = [_recorded(row, at) for row in rows]
    store.resend(conn, [(recorded, STATE.dump(recorded.event)) for recorded in events])


def _recorded(row: Row, at: datetime) -> Recorded:
    values = {name: value for name, value in row.items() if name not in ("key", "settings_version")}
    return Recorded(
        id=uuid4(),
        tenant=row["key"],
        stream=f"settings-{row['key']}",
        version=row["settings_version"],
        recorded_at=at,
        correlation_id=logs.correlation_id(),
        event=SettingsChanged(**values),
    )
