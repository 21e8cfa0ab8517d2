"""Tariffs and charges as they are now, written in the transaction of the events that changed them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.contracts.billing.events import TariffState
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import Json, instant
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import Changed

KEEP_TARIFF = """
    insert into tariffs (tariff_id, tenant, version, tariff, state, drafted_at, valid_from, activated_at)
    select * from json_to_recordset(%(rows)s) as tariff (
        tariff_id uuid, tenant text, version int, tariff json, state text, drafted_at timestamptz,
        valid_from timestamptz, activated_at timestamptz)
        on conflict (tariff_id) do update
       set version = excluded.version, tariff = excluded.tariff, state = excluded.state,
           valid_from = excluded.valid_from, activated_at = coalesce(tariffs.activated_at, excluded.activated_at)
     where tariffs.version < excluded.version
"""
KEEP_CHARGES = """
    insert into charges (call_id, tenant, version, state, amount, currency, charge, changed_at)
    select * from json_to_recordset(%(rows)s) as charge (
        call_id uuid, tenant text, version int, state text, amount numeric, currency text, charge json,
        changed_at timestamptz)
        on conflict (call_id) do update
       set version = excluded.version, state = excluded.state, amount = excluded.amount, currency = excluded.currency,
           charge = excluded.charge, changed_at = excluded.changed_at
     where charges.version < excluded.version
"""
KEEP_TERMS = """
    insert into terms (tenant, version, price_delay, currency)
    select tenant, version, make_interval(secs => delay), currency
      from json_to_recordset(%(rows)s) as said (tenant text, version int, delay int, currency text)
        on conflict (tenant) do update
       set version = excluded.version, price_delay = excluded.price_delay, currency = excluded.currency
     where terms.version < excluded.version
"""


def keep_terms(conn: Connection, said: Mapping[str, tuple[int, SettingsChanged]]) -> None:
    """What companies have set, each with its version; an older one never replaces a newer one."""
    rows = [
        {"tenant": tenant, "version": version, "delay": settings.price_delay_seconds, "currency": settings.currency}
        for tenant, (version, settings) in sorted(said.items())
    ]
    _keep(conn, KEEP_TERMS, rows)


def keep_tariffs(conn: Connection, changes: Sequence[Changed], at: datetime) -> None:
    """Show changed tariffs as they are; an older version never replaces a newer one."""
    _keep(conn, KEEP_TARIFF, [tariff_row(change) | _times(change, at) for change in changes])


def keep_charges(conn: Connection, changes: Sequence[Changed], at: datetime) -> None:
    """Show changed charges as they are; an older version never replaces a newer one."""
    _keep(conn, KEEP_CHARGES, [charge_row(change) | {"changed_at": instant(at)} for change in changes])


def _keep(conn: Connection, statement: Any, rows: Sequence[Json]) -> None:
    if rows:
        conn.execute(statement, {"rows": as_rows(rows)})


def tariff_row(change: Changed) -> Json:
    """What of a tariff's row follows from its stream."""
    shown = change.published
    return {
        "tariff_id": shown["tariff_id"],
        "tenant": change.tenant,
        "version": change.version,
        "tariff": shown,
        "state": shown["state"],
        "valid_from": shown["valid_from"],
    }


def _times(change: Changed, at: datetime) -> Json:
    active = change.published["state"] == TariffState.ACTIVE
    return {"drafted_at": instant(at), "activated_at": instant(at) if active else None}


def charge_row(change: Changed) -> Json:
    """What of a charge's row follows from its stream."""
    shown = change.published
    price = shown["price"] or {"amount": None, "currency": None}
    return {
        "call_id": shown["call_id"],
        "tenant": change.tenant,
        "version": change.version,
        "state": shown["state"],
        "amount": price["amount"],
        "currency": price["currency"],
        "charge": shown,
    }
