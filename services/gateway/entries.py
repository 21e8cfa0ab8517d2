"""One ENTRY of the journal from a row and the names of the day. Plain functions: a page makes hundreds of these."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from services.gateway.directory import Names
from services.gateway.queries import Row
from shared.contracts.values import Direction, Phase
from shared.contracts.wire import Json, instant, seconds

WITHHELD = frozenset(
    {"", "anonymous", "unknown", "restricted", "unavailable", "private", "withheld", "hidden", "blocked", "nonumber"}
)
SIP = ("sip:", "sips:")
NO_RECORDING: Json = {"state": "none", "duration_seconds": None, "format": None, "size": None}


def addresses(rows: Iterable[Row]) -> set[str]:
    """The addresses whose names the entries of these rows show."""
    return {address for row in rows for address in (row.caller, row.callee, *row.answered_by, *row.rung[:1])}


def entry(row: Row, names: Names, price_delay: timedelta) -> Json:
    return {
        "call_id": str(row.call_id),
        "direction": row.direction,
        "status": row.status,
        "phase": row.phase,
        "rule": row.rule,
        "caller": party(row.caller, row.placed_at, names, row.caller_name),
        "callee": _callee(row, names),
        "answered_by": party(row.answered_by[0], row.placed_at, names) if row.answered_by else None,
        "rung": row.rung,
        "offline": row.offline,
        "line": row.line,
        "ended_by": row.ended_by,
        "cause": row.cause,
        "reason": row.reason,
        "placed_at": instant(row.placed_at),
        "ringing_at": _instant(row.ringing_at),
        "answered_at": _instant(row.answered_at),
        "ended_at": _instant(row.ended_at),
        "wait_seconds": _seconds(row.wait_time),
        "talk_seconds": _seconds(row.talk_time),
        "returned_by": str(row.returned_by) if row.returned_by else None,
        "comment": None,
        "price": _price(row, price_delay),
        "recording": NO_RECORDING,
    }


def party(address: str, at: datetime, names: Names, said_name: str | None = None) -> Json:
    """Who an address was at that instant: an employee, else a contact, else what the exchange said."""
    if is_withheld(address):
        return {"address": address, "name": None, "kind": "withheld"}
    if employee := names.employee(address, at):
        return _employee(address, *employee)
    if contact := names.contact(address):
        return {"address": address, "name": contact, "kind": "contact"}
    kind = "sip" if address.lower().startswith(SIP) or "@" in address else "number"
    return {"address": address, "name": said_name, "kind": kind}


def is_withheld(address: str) -> bool:
    """The caller did not want to be known, in whatever words or SIP address the exchange says so."""
    user = address.lower().removeprefix("sips:").removeprefix("sip:").partition("@")[0]
    return user.strip() in WITHHELD


def _callee(row: Row, names: Names) -> Json:
    """Of an inbound call the employee who answered, or the only one rung, over the number that was dialled."""
    if row.direction == Direction.INBOUND:
        tried = row.answered_by or (row.rung if len(row.rung) == 1 else ())
        employees = (names.employee(address, row.placed_at) for address in tried)
        if employee := next(filter(None, employees), None):
            return _employee(row.callee, *employee)
    return party(row.callee, row.placed_at, names)


def _employee(address: str, account_id: Any, name: str) -> Json:
    return {"address": address, "name": name, "kind": "employee", "account_id": str(account_id)}


def _price(row: Row, delay: timedelta) -> Json:
    """What can be said of a price before billing has been heard of it."""
    due_at = row.ended_at + delay if row.phase == Phase.ENDED and row.ended_at else None
    state = "pending" if due_at else "not_due"
    return {"state": state, "amount": None, "currency": None, "due_at": _instant(due_at), "reason": None}


def _instant(at: datetime | None) -> str | None:
    return instant(at) if at else None


def _seconds(length: timedelta | None) -> str | None:
    return None if length is None else seconds(length)
