"""The states of simulated calls, decided by the domain code of calls."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from services.calls.domain.call import INITIAL, Call, evolve, state
from services.calls.domain.returns import CallBack, MissedCall, returned_by
from shared.contracts.addresses import normalise
from shared.contracts.calls import events
from shared.contracts.calls.events import CallState
from shared.contracts.calls.reports import load
from shared.contracts.values import Status
from tools.simulator.reports import Report

FACTS = {
    "placed": events.CallPlaced,
    "connecting": events.CallConnecting,
    "ringing": events.PartyRang,
    "offline": events.PartyOffline,
    "answered": events.CallAnswered,
    "forwarded": events.CallForwarded,
    "refused": events.CallRefused,
    "recorded": events.CallRecorded,
    "ended": events.CallEnded,
}
DAY = timedelta(hours=24)


def call_states(reports: Iterable[Report]) -> dict[str, CallState]:
    """The state of every call by its exchange key, without call-backs."""
    calls: dict[str, Call] = {}
    for said in load([report.as_json() for report in reports]):
        fact = FACTS[said.type](call_id=_id(said.call), at=said.at, report_id=said.report_id, **said.data)
        calls[said.call] = evolve(calls.get(said.call, INITIAL), fact)
    return {key: state(_id(key), call) for key, call in calls.items()}


def statuses_with_call_backs(calls: dict[str, CallState]) -> list[Status]:
    """The statuses of the calls, with missed calls that were called back as returned."""
    reached: dict[str, list[CallBack]] = {}
    for call in calls.values():
        if call.direction == "outbound" and call.answered_at:
            reached.setdefault(normalise(call.callee), []).append(CallBack(call.call_id, call.answered_at))
    return [_status(call, reached) for call in calls.values()]


def _status(call: CallState, reached: dict[str, list[CallBack]]) -> Status:
    if call.status not in (Status.MISSED, Status.MISSED_OFFLINE) or not call.caller:
        return call.status
    missed = MissedCall(call.call_id, call.ended_at, None)
    call_backs = reached.get(normalise(call.caller), ())
    return Status.RETURNED if returned_by(missed, call_backs, DAY) else call.status


def _id(key: str):
    return uuid5(NAMESPACE_URL, key)
