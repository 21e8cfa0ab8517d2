"""When a call is missed or a number is called back: compute which call returned which.

The transaction of the change only queues the number. A second transaction computes the returned calls under a lock per
tenant and number: of two concurrent changes, the later one sees the earlier.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.calls import queries
from services.calls.domain.call import Call, SetReturnedBy, answered_at, ended_at
from services.calls.domain.returns import CallBack, MissedCall, Windows, returned_by
from shared.contracts.values import Direction
from shared.plumbing import logs
from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed, CommandEnvelope

BATCH_SIZE = 500

QUEUE_RETURNS = """
    insert into returns_due (tenant, number, ended_from, ended_to)
    select * from unnest(%(tenant)s::text[], %(number)s::text[], %(ended_from)s::timestamptz[],
                         %(ended_to)s::timestamptz[])
"""
TAKE_PENDING = """
    delete from returns_due
     where id in (select id from returns_due where error is null order by id limit %(limit)s for update skip locked)
    returning tenant, number, ended_from, ended_to
"""
RECORD_FAILURE = """
    insert into returns_due (tenant, number, ended_from, ended_to, error)
    values (%(tenant)s, %(number)s, %(ended_from)s, %(ended_to)s, %(error)s)
"""
LOCK_NUMBERS = """
    select pg_advisory_xact_lock(key)
      from (select distinct hashtextextended(tenant || ' ' || number, 1) as key
              from unnest(%(tenant)s::text[], %(number)s::text[]) as due (tenant, number) order by 1) as keys
"""


class PendingReturn(NamedTuple):
    """Missed calls of `number` that ended in this interval must be computed again."""

    tenant: str
    number: str
    ended_from: datetime
    ended_to: datetime


def queue_returns(conn: Connection, changes: Iterable[Changed], windows: Windows) -> bool:
    """Queue the numbers that the changes affect; True if there are any."""
    pending = {
        pending_return
        for change in changes
        for call in (change.before, change.after)
        if (pending_return := pending_return_of(change.tenant, call, windows.of(change.tenant)))
    }
    if pending:
        conn.execute(QUEUE_RETURNS, _columns(pending))
    return bool(pending)


def pending_return_of(tenant: str, call: Call, window: timedelta) -> PendingReturn | None:
    """What a call affects: a missed inbound call itself, an answered outbound call all calls that it may return."""
    if call.placed is None:
        return None
    answered, ended = answered_at(call), ended_at(call)
    match call.placed.direction:
        case Direction.INBOUND if ended and not answered and call.placed.caller:
            return PendingReturn(tenant, call.placed.caller, ended, ended)
        case Direction.OUTBOUND if answered:
            return PendingReturn(tenant, call.placed.callee, answered - window, answered)
    return None


def take_pending(conn: Connection) -> list[PendingReturn]:
    """Take a batch of pending numbers and lock them."""
    pending = [PendingReturn(*row) for row in conn.execute(TAKE_PENDING, {"limit": BATCH_SIZE})]
    if pending:
        conn.execute(LOCK_NUMBERS, _columns(pending))
    return pending


def return_commands(
    conn: Connection, pending: Sequence[PendingReturn], windows: Windows, at: datetime
) -> list[CommandEnvelope]:
    """Commands that set `returned_by` of every missed call of the pending numbers; `at` is the time of the change."""
    columns = _columns(pending)
    call_backs: dict[queries.Number, list[CallBack]] = defaultdict(list)
    columns_with_window = columns | {"window": [windows.of(pending_return.tenant) for pending_return in pending]}
    for number, call_back in queries.call_backs(conn, columns_with_window):
        call_backs[number].append(call_back)
    return [
        _envelope(number[0], missed, returned_by(missed, call_backs[number], windows.of(number[0])), at)
        for number, missed in queries.missed_calls(conn, columns)
    ]


def record_failure(conn: Connection, pending: PendingReturn, error: Exception) -> None:
    """Store a failed number with its error for the administrator. Setting `error` to null retries it."""
    conn.execute(RECORD_FAILURE, {**pending._asdict(), "error": f"{type(error).__name__}: {error}"[:2000]})


def _envelope(tenant: str, missed: MissedCall, call_back: CallBack | None, at: datetime) -> CommandEnvelope:
    command = SetReturnedBy(
        call_id=missed.call_id,
        returned_by=call_back.call_id if call_back else None,
        at=at,
    )
    return CommandEnvelope(
        tenant=tenant, stream=f"call-{missed.call_id}", command=command, correlation_id=logs.correlation_id()
    )


def _columns(pending: Iterable[PendingReturn]) -> dict[str, list[object]]:
    rows = list(pending)
    return {name: [getattr(row, name) for row in rows] for name in PendingReturn._fields}
