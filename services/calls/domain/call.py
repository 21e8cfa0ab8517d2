"""The state of one call, computed from its reports in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from services.calls.domain.outcome import Facts, decide_outcome
from shared.contracts.calls.events import (
    CallAnswered,
    CallConnecting,
    CallEnded,
    CallForwarded,
    CallGivenUp,
    CallPlaced,
    CallRecorded,
    CallRefused,
    CallReturned,
    CallReturnWithdrawn,
    CallState,
    Forward,
    PartyOffline,
    PartyRang,
    Reported,
)
from shared.contracts.errors import Rejected
from shared.contracts.event import Event
from shared.contracts.values import EndedBy, Status

Fact = TypeVar("Fact", bound=Reported)
ZERO = timedelta(0)
MAX_REPORTS_PER_CALL, MAX_LATE_ENDS_PER_CALL = 5000, 100
"""Every report loads all events of its call. Above the limit only an earlier end is accepted, up to the second limit;
other reports go to the dead-letter queue."""
MAX_LIST_TEXT = 16_000
"""Characters of the lists in the state, which is published with each event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReport:
    """Add one reported fact. The inbox has already removed duplicates by report_id."""

    fact: Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """End a live call that has had no report for too long."""

    call_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReturnedBy:
    """Set which call returned this one; None if there is none any more."""

    call_id: UUID
    returned_by: UUID | None
    at: datetime


Command = AddReport | GiveUp | SetReturnedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The earliest fact of each kind, and the number of reports."""

    placed: CallPlaced | None = None
    connecting: Mapping[str | None, CallConnecting] = field(default_factory=dict)
    rang: Mapping[str, PartyRang] = field(default_factory=dict)
    offline: Mapping[str, PartyOffline] = field(default_factory=dict)
    answered: Mapping[str, CallAnswered] = field(default_factory=dict)
    forwarded: Mapping[str, CallForwarded] = field(default_factory=dict)
    refused: CallRefused | None = None
    recorded: CallRecorded | None = None
    ended: CallEnded | None = None
    given_up: bool = False
    returned_by: UUID | None = None
    latest_at: datetime | None = None
    report_count: int = 0


INITIAL = Call()


def decide(call: Call, command: Command) -> list[Event]:
    match command:
        case AddReport(fact=fact) if reason := _rejection_reason(call, fact):
            raise Rejected(reason)
        case AddReport(fact=fact):
            return [fact]
        case GiveUp(call_id=call_id):
            if call.ended or call.given_up or call.latest_at is None:
                return []
            return [CallGivenUp(call_id=call_id, at=call.latest_at)]
        case SetReturnedBy(returned_by=returned_by) if returned_by == call.returned_by:
            return []
        case SetReturnedBy(call_id=call_id, returned_by=None, at=at):
            return [CallReturnWithdrawn(call_id=call_id, at=at)]
        case SetReturnedBy(call_id=call_id, returned_by=UUID() as returned_by, at=at):
            return [CallReturned(call_id=call_id, returned_by=returned_by, at=at)]
    raise TypeError(f"unknown command {command!r}")


def _rejection_reason(call: Call, fact: Reported) -> str | None:
    """Why the fact cannot be added to the call; None if it can."""
    if call.report_count >= MAX_REPORTS_PER_CALL and not _is_earlier_end(call, fact):
        return "too_many_reports_of_one_call"
    if type(fact) in FACTS_BY_KEY and _list_text_size(_with_fact(call, fact)) > MAX_LIST_TEXT:
        return "too_many_parties_of_one_call"
    return None


def _is_earlier_end(call: Call, fact: Reported) -> bool:
    below_limit = call.report_count < MAX_REPORTS_PER_CALL + MAX_LATE_ENDS_PER_CALL
    return below_limit and isinstance(fact, CallEnded) and _earliest(call.ended, fact) is fact


def _list_text_size(call: Call) -> int:
    """Approximate length of the lists in the state as JSON."""
    parties = (call.connecting, call.rang, call.offline, call.answered)
    names = sum(len(name or "") + 4 for facts in parties for name in facts)
    return names + sum(len(fact.to) + len(fact.line or "") + 64 for fact in call.forwarded.values())


SINGLE_FACTS: dict[type[Event], str] = {
    CallPlaced: "placed",
    CallRefused: "refused",
    CallRecorded: "recorded",
    CallEnded: "ended",
}
FACTS_BY_KEY: dict[type[Event], tuple[str, str]] = {
    CallConnecting: ("connecting", "group"),
    PartyRang: ("rang", "party"),
    PartyOffline: ("offline", "party"),
    CallAnswered: ("answered", "party"),
    CallForwarded: ("forwarded", "to"),
}


def evolve(call: Call, event: Event) -> Call:
    match event:
        case Reported():
            updated = _with_fact(call, event)
            latest_at = max(updated.latest_at or event.at, event.at)
            return replace(updated, latest_at=latest_at, report_count=updated.report_count + 1)
        case CallGivenUp():
            return replace(call, given_up=True)
        case CallReturned(returned_by=returned_by):
            return replace(call, returned_by=returned_by)
        case CallReturnWithdrawn():
            return replace(call, returned_by=None)
    return call


def _with_fact(call: Call, fact: Reported) -> Call:
    """Keep the earliest fact of each kind and party, so that the order of reports does not matter."""
    if name := SINGLE_FACTS.get(type(fact)):
        return replace(call, **{name: _earliest(getattr(call, name), fact)})
    name, key = FACTS_BY_KEY[type(fact)]
    facts, value = getattr(call, name), getattr(fact, key)
    changes: dict[str, Any] = {name: {**facts, value: _earliest(facts.get(value), fact)}}
    return replace(call, **changes)


def _sort_key(fact: Reported) -> tuple[datetime, str]:
    return fact.at, fact.report_id


def _earliest(known: Fact | None, fact: Fact) -> Fact:
    return fact if known is None or _sort_key(fact) < _sort_key(known) else known


def _sorted_by_time(facts: Mapping[str, Fact]) -> list[Fact]:
    return sorted(facts.values(), key=_sort_key)


def state(call_id: UUID, call: Call) -> CallState:
    """The published state of the call."""
    placed_at = call.placed.at if call.placed else None
    answered, ended = answered_at(call), ended_at(call)
    wait_time, talk_time = _times(placed_at, answered, ended)
    outcome = decide_outcome(_facts(call))
    return CallState(
        call_id=call_id,
        direction=call.placed.direction if call.placed else None,
        status=outcome.status,
        phase=outcome.phase,
        rule=outcome.rule,
        reason=outcome.reason,
        caller=call.placed.caller if call.placed else None,
        caller_name=call.placed.caller_name if call.placed else None,
        callee=call.placed.callee if call.placed else None,
        line=call.placed.line if call.placed else None,
        groups=[fact.group for fact in sorted(call.connecting.values(), key=_sort_key) if fact.group],
        rung=[fact.party for fact in _sorted_by_time(call.rang)],
        offline=[fact.party for fact in _sorted_by_time(call.offline)],
        answered_by=[fact.party for fact in _sorted_by_time(call.answered)],
        forwarded=[Forward(to=fact.to, line=fact.line, at=fact.at) for fact in _sorted_by_time(call.forwarded)],
        ended_by=_ended_by(call),
        cause=call.ended.cause if call.ended else None,
        sip=call.ended.sip if call.ended else None,
        placed_at=placed_at,
        ringing_at=min((fact.at for fact in call.rang.values()), default=None),
        answered_at=answered,
        ended_at=ended,
        wait_time=wait_time,
        talk_time=talk_time,
        recorded=call.recorded is not None,
        returned_by=call.returned_by if outcome.status is Status.RETURNED else None,
    )


def _facts(call: Call) -> Facts:
    return Facts(
        direction=call.placed.direction if call.placed else None,
        rang=bool(call.rang),
        offline=bool(call.offline),
        group_was_searched=any(group is not None for group in call.connecting),
        answered=bool(call.answered),
        refused=call.refused is not None,
        ended=call.ended is not None or call.given_up,
        given_up=call.given_up and call.ended is None,
        ended_by=_ended_by(call),
        cause=call.ended.cause if call.ended else None,
        sip=call.ended.sip if call.ended else None,
        returned=call.returned_by is not None,
    )


def answered_at(call: Call) -> datetime | None:
    """When the first party answered."""
    return min((fact.at for fact in call.answered.values()), default=None)


def ended_at(call: Call) -> datetime | None:
    """When the call ended. A call that was given up ended at its last report."""
    if call.ended:
        return call.ended.at
    return call.latest_at if call.given_up else None


def _ended_by(call: Call) -> EndedBy | None:
    if call.ended:
        return call.ended.by
    return EndedBy.SYSTEM if call.given_up else None


def _times(
    placed_at: datetime | None, answered: datetime | None, ended: datetime | None
) -> tuple[timedelta | None, timedelta | None]:
    """Wait and talk time. An answer outside the call (wrong clock) is moved to its start or end, so they add up."""
    if answered is not None:
        answered = max(answered, placed_at or answered)
        answered = min(answered, ended or answered)
    return _between(placed_at, answered or ended), _between(answered, ended)


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    if start is None or end is None:
        return None
    return max(end - start, ZERO)
