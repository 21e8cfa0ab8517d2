"""The observed state of one call, and the cause of its end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.feeds.asterisk.channels import Channel

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"
CALLER, CALLEE, SYSTEM, UNKNOWN = "caller", "callee", "system", "unknown"

BUSY, REJECTED, NO_USER_RESPONSE, NO_ANSWER, TEMPORARY_FAILURE = 17, 21, 18, 19, 41
REFUSALS, REFUSAL_CODES = {BUSY, REJECTED}, {486, 600, 603, 403}
NETWORK_FAILURES = {38, 41, 47, 102, 127}
NO_ROUTE, CONGESTION, ABSENT = 3, 34, 20
NOT_REGISTERED = {NO_ROUTE, ABSENT}
CAUSE_OF_DIAL_STATUS = {
    "BUSY": BUSY,
    "CONGESTION": CONGESTION,
    "CHANUNAVAIL": NO_ROUTE,
    "DONTCALL": REJECTED,
    "TORTURE": REJECTED,
}
"""The cause of legs that end without one."""


class Ending(NamedTuple):
    by: str
    cause: int | None = None
    sip: int | None = None


KILLED = Ending(SYSTEM, TEMPORARY_FAILURE)
"""The exchange stopped during the call."""

CALLEE_ABSENT = Ending(SYSTEM, ABSENT)
"""Nobody was reached. A dialplan that ends after that sends congestion to the caller, which is not the cause."""

END_NOT_OBSERVED = Ending(UNKNOWN)
"""It ended while there was no connection to the exchange."""


@dataclass(slots=True, eq=False)
class Leg:
    """One channel that was dialled."""

    channel: Channel
    open: bool = True
    status: str = ""
    forwarded: bool = False

    @property
    def cause(self) -> int | None:
        return self.channel.cause or CAUSE_OF_DIAL_STATUS.get(self.status)

    @property
    def refused(self) -> bool:
        return self.cause in REFUSALS or (not self.cause and self.channel.sip in REFUSAL_CODES)

    @property
    def timed_out(self) -> bool:
        """Did the far end never respond, so that the exchange stopped waiting?"""
        return not self.channel.requested and self.status not in CAUSE_OF_DIAL_STATUS


class Recording(NamedTuple):
    channel: Channel
    started_at: datetime


@dataclass(slots=True, eq=False)
class Call:
    """The channels that share a linkedid (`key`), and the state of their call."""

    key: str
    channels: dict[str, Channel] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    """The legs of the last attempt of Dial() or Queue()."""
    endpoints: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    """Uniqueids of the channels of earlier attempts."""
    targets: dict[str, datetime] = field(default_factory=dict)
    groups: dict[str, datetime] = field(default_factory=dict)
    queues: set[str] = field(default_factory=set)
    requests: list[Channel] = field(default_factory=list)
    conference_parties: dict[str, datetime] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    direction: str = ""
    callee: str = ""
    reversed: bool = False
    """The exchange called the outside number first: the first channel is the callee's."""
    reached: str = ""
    """The outside number that an outbound call reached."""
    recording: Recording | None = None
    abandoned: bool = False
    answered_at: datetime | None = None
    interrupted: bool = False
    """Was the connection to the exchange lost during the call?"""
    forced_ending: Ending | None = None
    leaving: bool = False
    ended_at: datetime | None = None

    @property
    def first(self) -> Channel | None:
        return self.channels.get(self.key)

    @property
    def caller(self) -> Channel | None:
        """The person's channel that placed the call: the first channel, or after a Local channel the first person's."""
        if self.first and self.first.is_person:
            return self.first
        return min(self.people, key=lambda channel: channel.created_at, default=None)

    @property
    def dialled(self) -> str:
        """The company's number that an outside caller dialled, or the line if the number is unknown."""
        return self.callee or (self.caller.endpoint if self.caller else "")

    @property
    def partly_observed(self) -> bool:
        """May this connection have missed events of the call?"""
        return self.interrupted or self.first is None or not self.first.seen_new

    @property
    def people(self) -> Iterator[Channel]:
        return (channel for channel in self.channels.values() if channel.is_person)

    @property
    def is_over(self) -> bool:
        return all(channel.gone for channel in self.channels.values())

    @property
    def is_searching(self) -> bool:
        """Is the exchange trying to reach somebody, or about to?"""
        return bool(self.queues) or not self.legs or self.is_dialling

    @property
    def caller_gave_up(self) -> bool:
        """Did the caller hang up during the search? A caller who got congestion was rejected by the exchange."""
        caller = self.caller
        if caller is None or (caller.requested and caller.cause == CONGESTION):
            return False
        return self.abandoned or (self.direction == INBOUND and caller.requested)

    def dial(self, channel: Channel) -> None:
        if self.leg_of(channel) is None:
            self.legs.append(Leg(channel))

    @property
    def is_dialling(self) -> bool:
        """Is a leg being dialled?"""
        return any(leg.open for leg in self.legs)

    def leg_of(self, channel: Channel) -> Leg | None:
        return next((leg for leg in self.legs if leg.channel is channel), None)

    def reset_hangup(self) -> None:
        """Forget earlier hangup requests: they did not end the call."""
        self.requests.clear()
        self.abandoned = False


def ending(call: Call) -> Ending:
    """Who ended the call, and why. All its channels are gone."""
    if call.forced_ending:
        return call.forced_ending
    if call.answered_at:
        return _ending_of_answered(call)
    if call.caller_gave_up:
        return _ending_with_cause_of(CALLEE if call.reversed else CALLER, call.caller)
    return _ending_of_unanswered(call)


def _ending_of_answered(call: Call) -> Ending:
    who = next((channel for channel in call.requests if channel.talks and not channel.stepped_out), None)
    if who is None:
        return _ending_with_cause_of(SYSTEM, call.caller)
    if who.cause in NETWORK_FAILURES:
        return _ending_with_cause_of(SYSTEM, who)
    return _ending_with_cause_of(CALLER if (who is call.caller) is not call.reversed else CALLEE, who)


def _ending_of_unanswered(call: Call) -> Ending:
    legs = [leg for leg in call.legs if leg.channel.is_person and not leg.forwarded and leg.channel is not call.caller]
    if not legs:
        return _ending_with_cause_of(SYSTEM, call.caller)
    if timed_out := [leg for leg in legs if leg.timed_out]:
        return Ending(SYSTEM, NO_ANSWER if any(leg.channel.ringing_at for leg in timed_out) else NO_USER_RESPONSE)
    if leg := _leg_with_cause_of_caller(call, legs, lambda leg: leg.refused):
        return Ending(CALLEE, leg.cause, leg.channel.sip)
    leg = _leg_with_cause_of_caller(call, legs, lambda leg: True) or legs[-1]
    return Ending(SYSTEM, leg.cause, leg.channel.sip)


def _leg_with_cause_of_caller(call: Call, legs: list[Leg], condition: Callable[[Leg], bool]) -> Leg | None:
    """Of several matching legs, the one whose cause the exchange sent to the caller."""
    matches = [leg for leg in legs if condition(leg)]
    cause = call.caller.cause if call.caller else None
    return next((leg for leg in matches if leg.cause == cause), matches[-1] if matches else None)


def _ending_with_cause_of(by: str, channel: Channel | None) -> Ending:
    return Ending(by, channel.cause, channel.sip) if channel else Ending(by)
