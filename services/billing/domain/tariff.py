"""One tariff: a draft until it is activated, then never changed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.contracts.billing.events import (
    Rounding,
    Tariff,
    TariffActivated,
    TariffDiscarded,
    TariffDrafted,
    TariffState,
)
from shared.contracts.errors import Rejected
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTariff:
    """Write the draft, or write it anew; `rates` is the digest of `count` rates."""

    tariff_id: UUID
    name: str
    currency: str
    rounding: Rounding
    rates: str
    count: int
    by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateTariff:
    """Let it rule the calls answered from `valid_from` on."""

    tariff_id: UUID
    valid_from: datetime
    by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardTariff:
    tariff_id: UUID
    by: UUID | None
    at: datetime


Command = DraftTariff | ActivateTariff | DiscardTariff
INITIAL: Tariff | None = None


def decide(tariff: Tariff | None, command: Command) -> list[Event]:
    match command:
        case DraftTariff():
            return _draft(tariff, command)
        case ActivateTariff():
            return _activate(tariff, command)
        case DiscardTariff(tariff_id=tariff_id, by=by, at=at):
            if tariff and tariff.state is TariffState.DISCARDED:
                return []
            _must_be_a_draft(tariff)
            return [TariffDiscarded(tariff_id=tariff_id, by=by, at=at)]
    raise TypeError(f"billing does not know the command {command!r}")


def _draft(tariff: Tariff | None, command: DraftTariff) -> list[Event]:
    drafted = TariffDrafted(
        tariff_id=command.tariff_id,
        name=command.name,
        currency=command.currency,
        rounding=command.rounding,
        rates=command.rates,
        count=command.count,
        by=command.by,
        at=command.at,
    )
    if tariff is None:
        return [drafted]
    _must_be_a_draft(tariff)
    return [] if _drafted(tariff, drafted) == replace(tariff, version=tariff.version + 1) else [drafted]


def _activate(tariff: Tariff | None, command: ActivateTariff) -> list[Event]:
    if tariff and tariff.state is TariffState.ACTIVE and tariff.valid_from == command.valid_from:
        return []
    _must_be_a_draft(tariff)
    if tariff and not tariff.count:
        raise Rejected("tariff_has_no_rates")
    return [TariffActivated(tariff_id=command.tariff_id, valid_from=command.valid_from, by=command.by, at=command.at)]


def _must_be_a_draft(tariff: Tariff | None) -> None:
    if tariff is None:
        raise Rejected("tariff_is_not_drafted")
    if tariff.state is not TariffState.DRAFT:
        raise Rejected(f"tariff_is_{tariff.state}")


def evolve(tariff: Tariff | None, event: Event) -> Tariff | None:
    match event:
        case TariffDrafted():
            return _drafted(tariff, event)
        case TariffActivated(valid_from=valid_from) if tariff:
            return replace(tariff, state=TariffState.ACTIVE, valid_from=valid_from)
        case TariffDiscarded() if tariff:
            return replace(tariff, state=TariffState.DISCARDED)
    return tariff


def _drafted(tariff: Tariff | None, event: TariffDrafted) -> Tariff:
    return Tariff(
        tariff_id=event.tariff_id,
        name=event.name,
        currency=event.currency,
        rounding=event.rounding,
        rates=event.rates,
        count=event.count,
        version=tariff.version + 1 if tariff else 1,
        state=TariffState.DRAFT,
        valid_from=None,
    )
