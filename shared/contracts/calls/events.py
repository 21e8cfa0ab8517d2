"""Facts about one call, as the exchange reports them. Owned by services/calls.

Every reported fact keeps the report's `at` (when it happened) and `report_id` (which report).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.contracts.event import Event
from shared.contracts.values import Direction, EndedBy, Phase, Status


def call_id(tenant: str, exchange_key: str) -> UUID:
    """The same call by whichever path its reports came."""
    return uuid5(NAMESPACE_URL, f"call:{tenant}:{exchange_key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent(Event):
    call_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(CallEvent):
    report_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlaced(Reported):
    """A call was placed."""

    direction: Direction
    caller: str
    callee: str
    caller_name: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallConnecting(Reported):
    """The call waits in `group`, a queue or menu."""

    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRang(Reported):
    """A party is being alerted."""

    party: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyOffline(Reported):
    """A party could not be alerted: it was not registered."""

    party: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Reported):
    """The call was answered."""

    party: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForwarded(Reported):
    """A second leg was opened to an outside number; it is priced too."""

    to: str
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(Reported):
    """The exchange could not handle the call."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecorded(Reported):
    """The exchange has a recording of the call."""

    file: str
    format: str | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Reported):
    """The call ended. `cause` is a Q.850 number, `sip` a status code."""

    by: EndedBy
    cause: int | None = None
    sip: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGivenUp(CallEvent):
    """The watchdog ended a call without reports for too long; `at` is the time of its last report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReturned(CallEvent):
    """A missed call's number was reached by an answered outbound call."""

    returned_by: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReturnWithdrawn(CallEvent):
    """A correction removed the call that had returned this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    to: str
    line: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """The state of a call after its latest event. Only calls decides it; other services copy it.

    Until `placed_at` is known a call is kept but not shown. `rung`, `offline` and `answered_by` are in
    order of time.
    """

    call_id: UUID
    direction: Direction | None
    status: Status
    phase: Phase
    rule: str
    reason: str | None
    caller: str | None
    caller_name: str | None
    callee: str | None
    line: str | None
    groups: list[str]
    rung: list[str]
    offline: list[str]
    answered_by: list[str]
    forwarded: list[Forward]
    ended_by: EndedBy | None
    cause: int | None
    sip: int | None
    placed_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wait_time: timedelta | None
    talk_time: timedelta | None
    recorded: bool
    returned_by: UUID | None
