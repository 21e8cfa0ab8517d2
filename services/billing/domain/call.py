"""What rating needs to know of a call, and the legs of it that are paid for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.billing.events import LegKind
from shared.contracts.calls.events import Forward
from shared.contracts.values import Direction

SECOND, NONE = timedelta(seconds=1), timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCall:
    """The facts that a price follows from; whatever else changes of a call, its price stays."""

    direction: Direction
    caller: str
    callee: str
    line: str | None
    placed_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    talk_time: timedelta | None
    forwarded: tuple[Forward, ...] = ()


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a call with a price of its own; `number` is the other end, `line` the company's, "" if unknown."""

    kind: LegKind
    direction: Direction
    number: str
    line: str
    talk_seconds: int


def legs(call: EndedCall) -> list[Leg]:
    """The legs to be paid for; none of a call that nobody answered or that did not leave the house."""
    if call.answered_at is None or call.talk_time is None or call.direction is Direction.INTERNAL:
        return []
    if call.direction is Direction.INBOUND:
        kind, number = LegKind.INBOUND, call.caller
    else:
        kind, number = LegKind.OUTBOUND, call.callee
    first = Leg(kind, call.direction, number, call.line or "", whole_seconds(call.talk_time))
    return [first, *(_forwarded(call, forward, call.talk_time) for forward in call.forwarded)]


def _forwarded(call: EndedCall, forward: Forward, talk_time: timedelta) -> Leg:
    lasted = min(max(call.ended_at - forward.at, NONE), talk_time)
    return Leg(LegKind.FORWARDED, Direction.OUTBOUND, forward.to, forward.line or "", whole_seconds(lasted))


def whole_seconds(length: timedelta) -> int:
    """Rounded up, as telephony is billed."""
    return -(-length // SECOND)
