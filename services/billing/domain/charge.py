"""The price of one call, and every price that it had before."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.contracts.billing.events import (
    CallPriced,
    CallRerated,
    Charge,
    ChargeState,
    Failure,
    Price,
    RatingFailed,
    Why,
)
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    reason: Failure
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPrice:
    """Say what rating the facts of version `call_version` came to; `why` if for more than that its time had come."""

    call_id: UUID
    call_version: int
    due_at: datetime
    outcome: Price | Failed
    at: datetime
    why: Why | None = None
    by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """`last` is the latest price, also when rating has failed since."""

    charge: Charge | None = None
    last: Price | None = None


INITIAL = Rated()


def decide(rated: Rated, command: SetPrice) -> list[Event]:
    match command.outcome:
        case Failed(reason=reason, number=number):
            if rated.charge and (rated.charge.reason, rated.charge.number) == (reason, number):
                return []
            return [_failed(command, reason, number)]
        case Price() as price if rated.charge and rated.charge.price == price:
            return []
        case Price() as price if rated.last is None:
            return [_priced(command, price)]
        case Price() as price:
            return [_rerated(command, rated.last, price)]


def _failed(command: SetPrice, reason: Failure, number: str | None) -> RatingFailed:
    return RatingFailed(
        call_id=command.call_id,
        call_version=command.call_version,
        due_at=command.due_at,
        at=command.at,
        reason=reason,
        number=number,
        why=command.why,
        by=command.by,
    )


def _priced(command: SetPrice, price: Price) -> CallPriced:
    return CallPriced(
        call_id=command.call_id,
        call_version=command.call_version,
        due_at=command.due_at,
        at=command.at,
        price=price,
        why=command.why,
        by=command.by,
    )


def _rerated(command: SetPrice, before: Price, price: Price) -> CallRerated:
    return CallRerated(
        call_id=command.call_id,
        call_version=command.call_version,
        due_at=command.due_at,
        at=command.at,
        before=before,
        price=price,
        difference=price.amount - before.amount if price.currency == before.currency else None,
        why=command.why or Why.CORRECTED,
        by=command.by,
    )


def evolve(rated: Rated, event: Event) -> Rated:
    match event:
        case CallPriced() | CallRerated():
            charge = Charge(
                call_id=event.call_id,
                state=ChargeState.PRICED,
                price=event.price,
                due_at=event.due_at,
                priced_at=event.at,
                reason=None,
                number=None,
            )
            return Rated(charge=charge, last=event.price)
        case RatingFailed():
            charge = Charge(
                call_id=event.call_id,
                state=ChargeState.FAILED,
                price=None,
                due_at=event.due_at,
                priced_at=None,
                reason=event.reason,
                number=event.number,
            )
            return replace(rated, charge=charge)
    return rated
