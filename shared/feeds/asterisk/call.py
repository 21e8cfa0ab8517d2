"""What has been seen of one call, and what its end means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.feeds.asterisk.channels import Channel

INBOUND, OUTBOUND, INTERNAL = "inbound", "outbound", "internal"
CALLER, CALLEE, SYSTEM, UNKNOWN = "caller", "callee", "system", "unknown"

BUSY, REJECTED, NO_USER_RESPONSE, NO_ANSWER, TEMPORARY_FAILURE = 17, 21, 18, 19, 41
REFUSALS, REFUSAL_CODES = {BUSY, REJECTED}, {486, 600, 603, 403}
TORN_DOWN = {38, 41, 47, 102, 127}
NO_ROUTE, CONGESTION, ABSENT = 3, 34, 20
NOT_REGISTERED = {NO_ROUTE, ABSENT}
CAUSE_OF_DIAL_STATUS = {
    "BUSY": BUSY,
    "CONGESTION": CONGESTION,
    "CHANUNAVAIL": NO_ROUTE,
    "DONTCALL": REJECTED,
    "TORTURE": REJECTED,
}
"""For legs that end without a cause of their own."""


class Ending(NamedTuple):
    by: str
    cause: int | None = None
    sip: int | None = None


KILLED = Ending(SYSTEM, TEMPORARY_FAILURE)
"""The exchange itself went down under the call."""

NOBODY_THERE = Ending(SYSTEM, ABSENT)
"""A dialplan that has no more to do after that gives the caller congestion, which is not what happened."""

UNSEEN = Ending(UNKNOWN)
"""It ended while nobody listened to the exchange."""


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
        """Its far end never said a word: the exchange gave up waiting."""
        return not self.channel.requested and self.status not in CAUSE_OF_DIAL_STATUS


class Recording(NamedTuple):
    channel: Channel
    started_at: datetime


@dataclass(slots=True, eq=False)
class Call:
    """The channels that share a linkedid (`key`), and what they have done."""

    key: str
    channels: dict[str, Channel] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    """Those of the last attempt of Dial() or Queue()."""
    endpoints: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    """Uniqueids of channels of attempts before."""
    targets: dict[str, datetime] = field(default_factory=dict)
    groups: dict[str, datetime] = field(default_factory=dict)
    queues: set[str] = field(default_factory=set)
    requests: list[Channel] = field(default_factory=list)
    met: dict[str, datetime] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    direction: str = ""
    callee: str = ""
    reversed: bool = False
    """The exchange called the outside number first: its first channel is the callee's."""
    reached: str = ""
    """The outside number that an outbound call was for."""
    recording: Recording | None = None
    abandoned: bool = False
    answered_at: datetime | None = None
    interrupted: bool = False
    """There was a time without a connection to the exchange while it lived."""
    forced_ending: Ending | None = None
    leaving: bool = False
    ended_at: datetime | None = None

    @property
    def first(self) -> Channel | None:
        return self.channels.get(self.key)

    @property
    def caller(self) -> Channel | None:
        """The person at the first channel; where that is a Local one, the first person it reached."""
        if self.first and self.first.is_person:
            return self.first
        return min(self.people, key=lambda channel: channel.created_at, default=None)

    @property
    def dialled(self) -> str:
        """By a caller from outside: a number of the company, or the line itself where that is all that is known."""
        return self.callee or (self.caller.endpoint if self.caller else "")

    @property
    def half_heard(self) -> bool:
        """May something of it have happened that this connection did not hear?"""
        return self.interrupted or self.first is None or not self.first.seen_new

    @property
    def people(self) -> Iterator[Channel]:
        return (channel for channel in self.channels.values() if channel.is_person)

    @property
    def is_over(self) -> bool:
        return all(channel.gone for channel in self.channels.values())

    @property
    def is_looking(self) -> bool:
        """Is the exchange looking for somebody right now, or has it not begun yet?"""
        return bool(self.queues) or not self.legs or self.tries

    @property
    def given_up(self) -> bool:
        """Did the caller hang up while the exchange looked for somebody? One who got congestion was sent away."""
        caller = self.caller
        if caller is None or (caller.requested and caller.cause == CONGESTION):
            return False
        return self.abandoned or (self.direction == INBOUND and caller.requested)

    def dial(self, channel: Channel) -> None:
        if self.leg_of(channel) is None:
            self.legs.append(Leg(channel))

    @property
    def tries(self) -> bool:
        """Is an attempt to reach somebody under way?"""
        return any(leg.open for leg in self.legs)

    def leg_of(self, channel: Channel) -> Leg | None:
        return next((leg for leg in self.legs if leg.channel is channel), None)

    def reset_hangup(self) -> None:
        """Who hung up before this did not end the call."""
        self.requests.clear()
        self.abandoned = False


def ending(call: Call) -> Ending:
    """Who ended the call, and why, once all its channels are gone."""
    if call.forced_ending:
        return call.forced_ending
    if call.answered_at:
        return _ending_of_talk(call)
    if call.given_up:
        return _own(CALLEE if call.reversed else CALLER, call.caller)
    return _ending_of_search(call)


def _ending_of_talk(call: Call) -> Ending:
    who = next((one for one in call.requests if one.talks and not one.stepped_out), None)
    if who is None:
        return _own(SYSTEM, call.caller)
    if who.cause in TORN_DOWN:
        return _own(SYSTEM, who)
    return _own(CALLER if (who is call.caller) is not call.reversed else CALLEE, who)


def _ending_of_search(call: Call) -> Ending:
    legs = [leg for leg in call.legs if leg.channel.is_person and not leg.forwarded and leg.channel is not call.caller]
    if not legs:
        return _own(SYSTEM, call.caller)
    if waited := [leg for leg in legs if leg.timed_out]:
        return Ending(SYSTEM, NO_ANSWER if any(leg.channel.ringing_at for leg in waited) else NO_USER_RESPONSE)
    if leg := _as_told_to_caller(call, legs, lambda leg: leg.refused):
        return Ending(CALLEE, leg.cause, leg.channel.sip)
    leg = _as_told_to_caller(call, legs, lambda leg: True) or legs[-1]
    return Ending(SYSTEM, leg.cause, leg.channel.sip)


def _as_told_to_caller(call: Call, legs: list[Leg], fits: Callable[[Leg], bool]) -> Leg | None:
    """Of several legs the one whose cause the exchange passed on to the caller."""
    fitting = [leg for leg in legs if fits(leg)]
    cause = call.caller.cause if call.caller else None
    return next((leg for leg in fitting if leg.cause == cause), fitting[-1] if fitting else None)


def _own(by: str, channel: Channel | None) -> Ending:
    return Ending(by, channel.cause, channel.sip) if channel else Ending(by)
