"""Facts about prices and the tariffs that they come from. Owned by services/billing.

Money is a Decimal with an ISO currency next to it; lengths are whole seconds, as they are billed.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from shared.contracts.event import Event
from shared.contracts.values import Direction


class RoundingMode(StrEnum):
    """How excess digits are rounded; `half_*` says where an exact half is rounded to."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    UP = "up"
    DOWN = "down"


class TariffState(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    DISCARDED = "discarded"


class ChargeState(StrEnum):
    PRICED = "priced"
    FAILED = "failed"


class LegKind(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    FORWARDED = "forwarded"


class Failure(StrEnum):
    """Why a call could not be priced."""

    NO_TARIFF = "no_tariff"
    NO_RATE = "no_rate"
    TALK_TOO_LONG = "talk_too_long"


class Why(StrEnum):
    """Why a call was rated again."""

    CORRECTED = "corrected"
    RERATED = "rerated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    mode: RoundingMode = RoundingMode.HALF_UP
    digits: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of calls with numbers that begin with `prefix`, over company lines that begin with `line`."""

    direction: Direction
    prefix: str
    line: str = ""
    per_minute: Decimal
    connection_fee: Decimal = Decimal(0)
    minimum_seconds: int = 1
    increment_seconds: int = 1
    free_seconds: int = 0
    minimal_charge: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffEvent(Event):
    tariff_id: UUID
    by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffDrafted(TariffEvent):
    """The draft was created or replaced. `rates` is the SHA-256 of the rates, `count` their number."""

    name: str
    currency: str
    rounding: Rounding
    rates: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffActivated(TariffEvent):
    """The tariff applies to calls answered from `valid_from` until the next tariff is in force."""

    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffDiscarded(TariffEvent):
    """The draft was discarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffUsed:
    """Which tariff priced a call; `version` counts the drafts that it went through."""

    id: UUID
    name: str
    version: int
    rounding: Rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """One priced leg: the rate that matched `number`, and what it comes to.

    `minimum_seconds` is the first interval that was billed: the rate's minimum, or its increment where that is longer.
    """

    leg: LegKind
    number: str
    direction: Direction
    prefix: str
    line: str
    talk_seconds: int
    free_seconds: int
    minimum_seconds: int
    increment_seconds: int
    billed_seconds: int
    per_minute: Decimal
    connection_fee: Decimal
    minimal_charge: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a call costs: the lines add up to the amount. Free calls have no lines and no tariff."""

    amount: Decimal
    currency: str
    tariff: TariffUsed | None = None
    lines: tuple[ChargeLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeEvent(Event):
    """`call_version` is the version of the call whose facts were rated."""

    call_id: UUID
    call_version: int
    due_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPriced(ChargeEvent):
    """The call has its first price. `why` and `by` as in CallRerated; None if the call was rated when due."""

    price: Price
    why: Why | None = None
    by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRerated(ChargeEvent):
    """The call has another price than before. `difference` is None between two currencies."""

    before: Price
    price: Price
    difference: Decimal | None
    why: Why
    by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFailed(ChargeEvent):
    """The call has no price until the `reason` is corrected; `number` is the number without a rate.

    `why` and `by` as in CallPriced.
    """

    reason: Failure
    number: str | None
    why: Why | None = None
    by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The price of a call after its latest event. `price` is None while `state` is failed."""

    call_id: UUID
    state: ChargeState
    price: Price | None
    due_at: datetime
    priced_at: datetime | None
    reason: Failure | None
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A tariff after its latest event."""

    tariff_id: UUID
    name: str
    currency: str
    rounding: Rounding
    rates: str
    count: int
    version: int
    state: TariffState
    valid_from: datetime | None
