"""Build journal entries from rows and the current names. Plain functions, because a page has hundreds of entries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from services.gateway.directory import repository
from services.gateway.directory.repository import Names
from services.gateway.domain.lengths import seconds
from services.gateway.journal.rows import Row
from shared.contracts.values import Direction
from shared.contracts.wire import Json

WITHHELD = frozenset(
    {"", "anonymous", "unknown", "restricted", "unavailable", "private", "withheld", "hidden", "blocked", "nonumber"}
)
SIP = ("sip:", "sips:")
NO_PRICE: Json = {"state": "not_due", "amount": None, "currency": None, "due_at": None, "reason": None}
NO_RECORDING: Json = {"state": "none", "duration_seconds": None, "format": None, "size": None}


def named_addresses(rows: Iterable[Row]) -> set[str]:
    """The addresses whose names are part of the entries of these rows."""
    return {address for row in rows for address in (row.caller, row.callee, *row.answered_by, *row.rung[:1])}


def build_entries(conn: Connection[Any], tenant: str, rows: Sequence[Row]) -> list[Json]:
    """The entries of a tenant's rows, with current names."""
    names = repository.names(conn, tenant, named_addresses(rows))
    return [build_entry(row, names) for row in rows]


def build_entry(row: Row, names: Names) -> Json:
    return {
        "call_id": row.call_id,
        "direction": row.direction,
        "status": row.status,
        "phase": row.phase,
        "rule": row.rule,
        "caller": party(row.caller, row.at, names, row.caller_name),
        "callee": _callee(row, names),
        "answered_by": party(row.answered_by[0], row.at, names) if row.answered_by else None,
        "rung": row.rung,
        "offline": row.offline,
        "line": row.line,
        "ended_by": row.ended_by,
        "cause": row.cause,
        "reason": row.reason,
        "placed_at": row.placed_at,
        "ringing_at": row.ringing_at,
        "answered_at": row.answered_at,
        "ended_at": row.ended_at,
        "wait_seconds": _seconds(row.wait_seconds),
        "talk_seconds": _seconds(row.talk_seconds),
        "returned_by": row.returned_by,
        "comment": row.comment,
        "price": build_price(row),
        "recording": _build_recording(row),
    }


def party(address: str, at: datetime, names: Names, exchange_name: str | None = None) -> Json:
    """Who held an address at that instant: an employee, else a contact, else the name from the exchange."""
    if is_withheld(address):
        return {"address": address, "name": None, "kind": "withheld"}
    if employee := names.employee(address, at):
        return _employee(address, *employee)
    if contact := names.contact(address):
        return {"address": address, "name": contact, "kind": "contact"}
    kind = "sip" if address.lower().startswith(SIP) or "@" in address else "number"
    return {"address": address, "name": exchange_name, "kind": kind}


def is_withheld(address: str) -> bool:
    """Whether the exchange reports that the caller withheld the number, as a term or a SIP address."""
    if address[:1] == "+" or address.isdigit():
        return False
    user = address.lower().removeprefix("sips:").removeprefix("sip:").partition("@")[0]
    return user.strip() in WITHHELD


def _callee(row: Row, names: Names) -> Json:
    """The callee; of an inbound call the employee who answered, or the only one rung, with the dialled number."""
    if row.direction == Direction.INBOUND:
        candidates = row.answered_by or (row.rung if len(row.rung) == 1 else ())
        employees = (names.employee(address, row.at) for address in candidates)
        if employee := next(filter(None, employees), None):
            return _employee(row.callee, *employee)
    return party(row.callee, row.at, names)


def _employee(address: str, account_id: UUID, name: str) -> Json:
    return {"address": address, "name": name, "kind": "employee", "account_id": str(account_id)}


def build_price(row: Row) -> Json:
    """The price from billing; before that, the predicted due time."""
    if row.price:
        return row.price
    return {**NO_PRICE, "state": "pending", "due_at": row.price_due_at} if row.price_due_at else NO_PRICE


def _build_recording(row: Row) -> Json:
    if row.recording is None:
        return NO_RECORDING
    return {**row.recording, "duration_seconds": _seconds(row.recording["duration_seconds"])}


def _seconds(exact: str | None) -> str | None:
    return exact and seconds(exact)
