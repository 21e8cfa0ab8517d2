"""One function per command or heard message. Each is one transaction, which the caller opens."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from services.calls import policies, projections, queries
from services.calls.domain import call as domain
from services.calls.domain.call import GiveUp, TakeReport
from services.calls.domain.returns import Windows
from shared.contracts.calls import reports, schemas
from shared.contracts.calls.events import (
    CallAnswered,
    CallConnecting,
    CallEnded,
    CallForwarded,
    CallPlaced,
    CallRecorded,
    CallRefused,
    PartyOffline,
    PartyRang,
    Reported,
    call_id,
)
from shared.contracts.calls.reports import Report
from shared.contracts.errors import Conflict, Rejected
from shared.contracts.gateway import schemas as settings
from shared.contracts.wire import Json
from shared.plumbing import clock, decider, inbox, logs, store
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import Connection, is_outage
from shared.plumbing.decider import Changed, CommandEnvelope
from shared.plumbing.resend import Resend

logger = logging.getLogger(__name__)

SAYS: dict[str, type[Reported]] = {
    "placed": CallPlaced,
    "connecting": CallConnecting,
    "ringing": PartyRang,
    "offline": PartyOffline,
    "answered": CallAnswered,
    "forwarded": CallForwarded,
    "refused": CallRefused,
    "recorded": CallRecorded,
    "ended": CallEnded,
}
STATE = schemas.CallStateSchema()
WATCHED_AT_ONCE = 200


def take_reports(conn: Connection, heard: Sequence[tuple[Any, str]], windows: Windows) -> bool:
    """Keep reports, each with its correlation id; True if calls that were missed may have been returned.

    Raises Invalid for a malformed report and Rejected for one whose id was used for other content.
    """
    taken: dict[str, tuple[Report, str]] = {}
    digests: dict[str, bytes] = {}
    for report, (body, about) in zip(reports.load(cooperatively(body for body, _ in heard)), heard, strict=True):
        key, digest = f"{report.tenant} {report.report_id}", _digest(body)
        if digests.setdefault(key, digest) != digest:
            raise Rejected("report_id_used_for_other_content")
        taken[key] = report, about
    known = inbox.remember(conn, "reports", digests)
    if known.different:
        raise Rejected("report_id_used_for_other_content")
    return _carry_out(conn, [_order(*taken[key]) for key in taken if key in known.first], windows)


def _digest(body: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _order(report: Report, correlation_id: str) -> CommandEnvelope:
    about = call_id(report.tenant, report.call)
    fact = SAYS[report.type](call_id=about, at=report.at, report_id=report.report_id, **report.data)
    return CommandEnvelope(
        tenant=report.tenant, stream=f"call-{about}", command=TakeReport(fact=fact), correlation_id=correlation_id
    )


def _carry_out(conn: Connection, orders: Sequence[CommandEnvelope], windows: Windows) -> bool:
    changes = _execute(conn, orders)
    return policies.note_returns_due(conn, changes, windows)


def _execute(conn: Connection, orders: Sequence[CommandEnvelope]) -> list[Changed]:
    changes = decider.execute(conn, domain, orders, describe)
    projections.keep_calls(conn, changes, clock.now())
    return changes


def describe(stream: str, state: domain.Call) -> Json:
    """What is published of a call."""
    described: Json = STATE.dump(domain.state(UUID(stream.removeprefix("call-")), state))
    return described


def decide_returns(conn: Connection, windows: Windows) -> bool:
    """Say of missed calls which call returned them; True if there was anything to look at.

    What fails alone is set aside. While a server is away, or another writer is first, all of it stays due.
    """
    due = policies.take_due(conn)
    if due and _put_right(conn, due, windows):
        for one in due:
            if error := _put_right(conn, [one], windows):
                policies.set_aside(conn, one, error)
    return bool(due)


def _put_right(conn: Connection, due: Sequence[policies.Due], windows: Windows) -> Exception | None:
    """None when it is done, else why not, and then nothing was written."""
    try:
        with conn.transaction():
            _execute(conn, policies.orders_for_returns(conn, due, windows, clock.now()))
    except Exception as error:
        if is_outage(error) or isinstance(error, Conflict):
            raise
        logger.exception("returns could not be decided", extra={"due": len(due)})
        return error
    return None


def give_up_silent_calls(conn: Connection, silence: timedelta, windows: Windows) -> int:
    """End live calls that nobody has reported on for `silence`; returns how many."""
    silent_since = clock.now() - silence
    locked = {call_id for _, call_id in queries.silent(conn, silent_since, WATCHED_AT_ONCE)}
    store.lock(conn, [f"call-{one}" for one in locked])
    # Asked again under the lock: a report may have come in between.
    orders = [
        CommandEnvelope(
            tenant=tenant,
            stream=f"call-{silent}",
            command=GiveUp(call_id=silent),
            correlation_id=logs.correlation_id(),
        )
        for tenant, silent in queries.silent(conn, silent_since, WATCHED_AT_ONCE)
        if silent in locked
    ]
    _carry_out(conn, orders, windows)
    return len(orders)


def keep_settings(conn: Connection, heard: Sequence[Any]) -> None:
    """Remember what companies have set, in any order, any number of times."""
    projections.keep_settings(conn, settings.newest(heard))


resend = Resend("call", "calls", domain, describe)
