"""One call: a function of the set of its reports, whatever their order. No clock, no I/O, no framework."""

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
NONE = timedelta(0)
MOST_REPORTS, MOST_ENDS = 5000, 100
"""A call is read whole to be decided: beyond this only its end, or an earlier one, is taken; the rest is parked."""
MOST_TEXT = 16_000
"""Characters of the state's lists: each event tells all of them again, and a batch has hundreds of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeReport:
    """Keep one reported fact. That it is not the second of its report_id, the inbox has seen to."""

    fact: Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """End the call if it is still live: nobody has reported on it for too long."""

    call_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReturnedBy:
    """Say which call returned this one; None when none does any more."""

    call_id: UUID
    returned_by: UUID | None
    at: datetime


Command = TakeReport | GiveUp | SetReturnedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What has been heard of a call: the earliest fact of each kind."""

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
    heard: int = 0


INITIAL = Call()


def decide(call: Call, command: Command) -> list[Event]:
    match command:
        case TakeReport(fact=fact) if refusal := _refusal(call, fact):
            raise Rejected(refusal)
        case TakeReport(fact=fact):
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
    raise TypeError(f"calls does not know the command {command!r}")


def _refusal(call: Call, fact: Reported) -> str | None:
    """Why the call cannot take this fact; None when it can."""
    if call.heard >= MOST_REPORTS and not _ends_sooner(call, fact):
        return "too_many_reports_of_one_call"
    if type(fact) in ONCE_PER and _text(_keep(call, fact)) > MOST_TEXT:
        return "too_many_parties_of_one_call"
    return None


def _ends_sooner(call: Call, fact: Reported) -> bool:
    within = call.heard < MOST_REPORTS + MOST_ENDS
    return within and isinstance(fact, CallEnded) and _earlier(call.ended, fact) is fact


def _text(call: Call) -> int:
    """The length of the state's lists as JSON, about."""
    parties = (call.connecting, call.rang, call.offline, call.answered)
    names = sum(len(name or "") + 4 for kept in parties for name in kept)
    return names + sum(len(one.to) + len(one.line or "") + 64 for one in call.forwarded.values())


ONCE: dict[type[Event], str] = {
    CallPlaced: "placed",
    CallRefused: "refused",
    CallRecorded: "recorded",
    CallEnded: "ended",
}
ONCE_PER: dict[type[Event], tuple[str, str]] = {
    CallConnecting: ("connecting", "group"),
    PartyRang: ("rang", "party"),
    PartyOffline: ("offline", "party"),
    CallAnswered: ("answered", "party"),
    CallForwarded: ("forwarded", "to"),
}


def evolve(call: Call, event: Event) -> Call:
    match event:
        case Reported():
            kept = _keep(call, event)
            latest_at = max(kept.latest_at or event.at, event.at)
            return replace(kept, latest_at=latest_at, heard=kept.heard + 1)
        case CallGivenUp():
            return replace(call, given_up=True)
        case CallReturned(returned_by=returned_by):
            return replace(call, returned_by=returned_by)
        case CallReturnWithdrawn():
            return replace(call, returned_by=None)
    return call


def _keep(call: Call, fact: Reported) -> Call:
    """The earliest fact of each kind, or of each kind and party, so that order does not matter."""
    if name := ONCE.get(type(fact)):
        return replace(call, **{name: _earlier(getattr(call, name), fact)})
    name, key = ONCE_PER[type(fact)]
    known, of = getattr(call, name), getattr(fact, key)
    kept: dict[str, Any] = {name: {**known, of: _earlier(known.get(of), fact)}}
    return replace(call, **kept)


def _order(fact: Reported) -> tuple[datetime, str]:
    return fact.at, fact.report_id


def _earlier(known: Fact | None, fact: Fact) -> Fact:
    return fact if known is None or _order(fact) < _order(known) else known


def _in_time(facts: Mapping[str, Fact]) -> list[Fact]:
    return sorted(facts.values(), key=_order)


def state(call_id: UUID, call: Call) -> CallState:
    """What the journal shows of the call."""
    placed_at = call.placed.at if call.placed else None
    picked_up_at, over_at = answered_at(call), ended_at(call)
    wait_time, talk_time = _times(placed_at, picked_up_at, over_at)
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
        groups=[fact.group for fact in sorted(call.connecting.values(), key=_order) if fact.group],
        rung=[fact.party for fact in _in_time(call.rang)],
        offline=[fact.party for fact in _in_time(call.offline)],
        answered_by=[fact.party for fact in _in_time(call.answered)],
        forwarded=[Forward(to=fact.to, line=fact.line, at=fact.at) for fact in _in_time(call.forwarded)],
        ended_by=_ended_by(call),
        cause=call.ended.cause if call.ended else None,
        sip=call.ended.sip if call.ended else None,
        placed_at=placed_at,
        ringing_at=min((fact.at for fact in call.rang.values()), default=None),
        answered_at=picked_up_at,
        ended_at=over_at,
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
        group_looked=any(group is not None for group in call.connecting),
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
    """When the first party picked up."""
    return min((fact.at for fact in call.answered.values()), default=None)


def ended_at(call: Call) -> datetime | None:
    """When it ended; the watchdog ends a call at its last report."""
    if call.ended:
        return call.ended.at
    return call.latest_at if call.given_up else None


def _ended_by(call: Call) -> EndedBy | None:
    if call.ended:
        return call.ended.by
    return EndedBy.SYSTEM if call.given_up else None


def _times(
    placed_at: datetime | None, picked_up_at: datetime | None, over_at: datetime | None
) -> tuple[timedelta | None, timedelta | None]:
    """Wait and talk. A pick-up that a wrong clock puts outside the call counts at its edge: they always add up."""
    if picked_up_at is not None:
        picked_up_at = max(picked_up_at, placed_at or picked_up_at)
        picked_up_at = min(picked_up_at, over_at or picked_up_at)
    return _between(placed_at, picked_up_at or over_at), _between(picked_up_at, over_at)


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    if start is None or end is None:
        return None
    return max(end - start, NONE)
