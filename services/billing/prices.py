"""The price of a call as it is shown: its lines explained, and the prices that it had before."""

from uuid import UUID

from services.billing import queries
from services.billing.domain import charge as domain
from services.billing.domain.rating import explain
from shared.contracts.billing.events import (
    CallPriced,
    CallRerated,
    Charge,
    ChargeLine,
    ChargeState,
    RatingFailed,
    TariffUsed,
)
from shared.contracts.billing.schemas import ChargeLineSchema
from shared.contracts.event import Recorded
from shared.contracts.wire import Json, instant
from shared.plumbing import store
from shared.plumbing.database import Connection

NONE: Json = {
    "state": "not_due",
    "amount": None,
    "currency": None,
    "due_at": None,
    "priced_at": None,
    "reason": None,
    "number": None,
    "tariff": None,
    "lines": [],
}
LINE = ChargeLineSchema()


def show(conn: Connection, tenant: str, call_id: UUID) -> Json:
    """The charge with its lines and explanation; `history` has the earlier prices, oldest first, and what came next.

    A call that is not known to have ended, or is another company's, is `not_due`.
    """
    due_at = queries.due_at(conn, tenant, call_id)
    if due_at is None:
        return {**NONE, "history": []}
    stream = f"charge-{call_id}"
    history = store.read(conn, [stream])[stream]
    if not history:
        return {**NONE, "state": "pending", "due_at": instant(due_at), "history": []}
    charges = _charges(history)
    earlier = [_earlier(charge, event) for charge, event in zip(charges, history[1:], strict=False)]
    return {**_shown(charges[-1]), "history": earlier}


def _charges(history: list[Recorded]) -> list[Charge]:
    """What the charge was after each event."""
    rated, charges = domain.INITIAL, list[Charge]()
    for recorded in history:
        rated = domain.evolve(rated, recorded.event)
        assert rated.charge
        charges.append(rated.charge)
    return charges


def _shown(charge: Charge) -> Json:
    price = charge.price
    return {
        "state": charge.state.value,
        "amount": f"{price.amount:f}" if price else None,
        "currency": price.currency if price else None,
        "due_at": instant(charge.due_at),
        "priced_at": instant(charge.priced_at) if charge.priced_at else None,
        "reason": charge.reason.value if charge.reason else None,
        "number": charge.number,
        "tariff": _tariff(price.tariff) if price and price.tariff else None,
        "lines": [_line(line, price.tariff) for line in price.lines if price.tariff] if price else [],
    }


def _tariff(used: TariffUsed) -> Json:
    return {"id": str(used.id), "name": used.name, "version": used.version}


def _line(line: ChargeLine, tariff: TariffUsed) -> Json:
    return {**LINE.dump(line), "explanation": explain(line, tariff)}


def _earlier(charge: Charge, then: Recorded) -> Json:
    """What it was, and why and by whom it was replaced; `difference` is what the next price was more."""
    event = then.event
    assert isinstance(event, CallPriced | CallRerated | RatingFailed)
    difference = event.difference if isinstance(event, CallRerated) else None
    return {
        **_shown(charge),
        "replaced_at": instant(then.recorded_at),
        "why": event.why.value if event.why else ("retried" if charge.state is ChargeState.FAILED else "corrected"),
        "by": str(event.by) if event.by else None,
        "difference": None if difference is None else f"{difference:f}",
    }
