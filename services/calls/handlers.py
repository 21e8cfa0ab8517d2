"""One function per command or consumed message. The caller opens the transaction."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from services.calls import policies, projections, queries
from services.calls.domain import call as domain
from services.calls.domain.call import AddReport, GiveUp
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

EVENT_OF_REPORT: dict[str, type[Reported]] = {
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
MAX_STALE_CALLS = 200


def record_reports(conn: Connection, messages: Sequence[tuple[Any, str]], windows: Windows) -> bool:
    """Record reports, each a body and a correlation id; True if returned calls must be computed again.

    Raises Invalid for a malformed report and Rejected for a report id that was used for other content.
    """
    accepted: dict[str, tuple[Report, str]] = {}
    digests: dict[str, bytes] = {}
    loaded = reports.load(cooperatively(body for body, _ in messages))
    for report, (body, correlation_id) in zip(loaded, messages, strict=True):
        key, digest = f"{report.tenant} {report.report_id}", _digest(body)
        if digests.setdefault(key, digest) != digest:
            raise Rejected("report_id_used_for_other_content")
        accepted[key] = report, correlation_id
    received = inbox.record(conn, "reports", digests)
    if received.conflicting:
        raise Rejected("report_id_used_for_other_content")
    return _execute_reports(conn, [_envelope(*accepted[key]) for key in accepted if key in received.new], windows)


def _digest(body: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _envelope(report: Report, correlation_id: str) -> CommandEnvelope:
    id_ = call_id(report.tenant, report.call)
    fact = EVENT_OF_REPORT[report.type](call_id=id_, at=report.at, report_id=report.report_id, **report.data)
    return CommandEnvelope(
        tenant=report.tenant, stream=f"call-{id_}", command=AddReport(fact=fact), correlation_id=correlation_id
    )


def _execute_reports(conn: Connection, envelopes: Sequence[CommandEnvelope], windows: Windows) -> bool:
    changes = _execute(conn, envelopes)
    return policies.queue_returns(conn, changes, windows)


def _execute(conn: Connection, envelopes: Sequence[CommandEnvelope]) -> list[Changed]:
    changes = decider.execute(conn, domain, envelopes, published_state)
    projections.save_calls(conn, changes, clock.now())
    return changes


def published_state(stream: str, state: domain.Call) -> Json:
    """The published state of a call."""
    published: Json = STATE.dump(domain.state(UUID(stream.removeprefix("call-")), state))
    return published


def recompute_returns(conn: Connection, windows: Windows) -> bool:
    """Compute for a batch of numbers which missed calls were returned; True if there was one.

    A number that fails alone is stored with its error. An outage or a conflict is raised: the transaction is rolled
    back and the batch stays pending.
    """
    pending = policies.take_pending(conn)
    if pending and _try_recompute(conn, pending, windows):
        for pending_return in pending:
            if error := _try_recompute(conn, [pending_return], windows):
                policies.record_failure(conn, pending_return, error)
    return bool(pending)


def _try_recompute(conn: Connection, pending: Sequence[policies.PendingReturn], windows: Windows) -> Exception | None:
    """None on success; the error if nothing was written."""
    try:
        with conn.transaction():
            _execute(conn, policies.return_commands(conn, pending, windows, clock.now()))
    except Exception as error:
        if is_outage(error) or isinstance(error, Conflict):
            raise
        logger.exception("cannot compute returned calls", extra={"numbers": len(pending)})
        return error
    return None


def give_up_stale_calls(conn: Connection, silence: timedelta, windows: Windows) -> int:
    """End live calls without a report for `silence`; the number of ended calls."""
    reported_before = clock.now() - silence
    locked = {call_id for _, call_id in queries.stale_calls(conn, reported_before, MAX_STALE_CALLS)}
    store.lock(conn, [f"call-{call_id}" for call_id in locked])
    # Query again under the lock: a report may have arrived in between.
    envelopes = [
        CommandEnvelope(
            tenant=tenant,
            stream=f"call-{stale_id}",
            command=GiveUp(call_id=stale_id),
            correlation_id=logs.correlation_id(),
        )
        for tenant, stale_id in queries.stale_calls(conn, reported_before, MAX_STALE_CALLS)
        if stale_id in locked
    ]
    _execute_reports(conn, envelopes, windows)
    return len(envelopes)


def save_settings(conn: Connection, messages: Sequence[Any]) -> None:
    """Save the settings of companies; messages may be repeated or out of order."""
    projections.save_settings(conn, settings.newest(messages))


resend = Resend("call", "calls", domain, published_state)
