"""When a call is missed or a number is reached: say which call returned which.

The change itself only notes, in its own transaction, which numbers are due. They are looked at in a second
one, under a lock per tenant and number, so that whichever side comes last sees the other.
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

MOST = 500

ADD_DUE = """
    insert into returns_due (tenant, number, ended_from, ended_to)
    select * from unnest(%(tenant)s::text[], %(number)s::text[], %(ended_from)s::timestamptz[],
                         %(ended_to)s::timestamptz[])
"""
TAKE_DUE = """
    delete from returns_due
     where id in (select id from returns_due where error is null order by id limit %(most)s for update skip locked)
    returning tenant, number, ended_from, ended_to
"""
SET_ASIDE = """
    insert into returns_due (tenant, number, ended_from, ended_to, error)
    values (%(tenant)s, %(number)s, %(ended_from)s, %(ended_to)s, %(error)s)
"""
LOCK_NUMBERS = """
    select pg_advisory_xact_lock(key)
      from (select distinct hashtextextended(tenant || ' ' || number, 1) as key
              from unnest(%(tenant)s::text[], %(number)s::text[]) as due (tenant, number) order by 1) as keys
"""


class Due(NamedTuple):
    """The missed calls of `number` that ended in this span may have got or lost a call-back."""

    tenant: str
    number: str
    ended_from: datetime
    ended_to: datetime


def note_returns_due(conn: Connection, changes: Iterable[Changed], windows: Windows) -> bool:
    """Remember what the changes make due; True if they make anything due."""
    due = {
        found
        for change in changes
        for call in (change.before, change.after)
        if (found := due_for(change.tenant, call, windows.of(change.tenant)))
    }
    if due:
        conn.execute(ADD_DUE, _columns(due))
    return bool(due)


def due_for(tenant: str, call: Call, window: timedelta) -> Due | None:
    """An inbound call ended without an answer is due itself; an answered outbound one, all that it may return."""
    if call.placed is None:
        return None
    reached_at, over_at = answered_at(call), ended_at(call)
    match call.placed.direction:
        case Direction.INBOUND if over_at and not reached_at and call.placed.caller:
            return Due(tenant, call.placed.caller, over_at, over_at)
        case Direction.OUTBOUND if reached_at:
            return Due(tenant, call.placed.callee, reached_at - window, reached_at)
    return None


def take_due(conn: Connection) -> list[Due]:
    """Some of what is due, for this transaction alone."""
    due = [Due(*row) for row in conn.execute(TAKE_DUE, {"most": MOST})]
    if due:
        conn.execute(LOCK_NUMBERS, _columns(due))
    return due


def orders_for_returns(conn: Connection, due: Sequence[Due], windows: Windows, at: datetime) -> list[CommandEnvelope]:
    """The orders, given at `at`, that put right what was due."""
    columns = _columns(due)
    call_backs: dict[queries.Number, list[CallBack]] = defaultdict(list)
    within = columns | {"window": [windows.of(one.tenant) for one in due]}
    for number, call_back in queries.call_backs(conn, within):
        call_backs[number].append(call_back)
    return [
        _order(number[0], missed, returned_by(missed, call_backs[number], windows.of(number[0])), at)
        for number, missed in queries.missed(conn, columns)
    ]


def set_aside(conn: Connection, due: Due, error: Exception) -> None:
    """Keep what cannot be put right for a person to look at; whoever takes its `error` away has it tried again."""
    conn.execute(SET_ASIDE, {**due._asdict(), "error": f"{type(error).__name__}: {error}"[:2000]})


def _order(tenant: str, missed: MissedCall, call_back: CallBack | None, at: datetime) -> CommandEnvelope:
    command = SetReturnedBy(
        call_id=missed.call_id,
        returned_by=call_back.call_id if call_back else None,
        at=at,
    )
    return CommandEnvelope(
        tenant=tenant, stream=f"call-{missed.call_id}", command=command, correlation_id=logs.correlation_id()
    )


def _columns(due: Iterable[Due]) -> dict[str, list[object]]:
    rows = list(due)
    return {name: [getattr(row, name) for row in rows] for name in Due._fields}
