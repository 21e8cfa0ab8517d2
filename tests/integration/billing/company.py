"""A company with tariffs and calls, as billing hears of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from services.billing import handlers, policies, prices
from services.billing.queries import Terms
from services.billing.rate_book_cache import RateBookCache
from shared.contracts.billing.events import Rate, Rounding
from shared.contracts.calls.events import CallGivenUp, CallState, Forward
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.event import Recorded
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.values import Direction, EndedBy, Phase, Status
from shared.contracts.wire import Json, encode, message
from shared.plumbing import clock
from shared.plumbing.database import Postgres

TENANT, OTHER = "oselia", "krynytsia"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DELAY = timedelta(seconds=300)
TERMS = Terms(DELAY, "UAH")
NUMBER, MOBILE, FREEPHONE = "+380501112233", "+380671234567", "+380800333444"


class Message(NamedTuple):
    body: Any
    key: str = "call_ended"


def call_id(name: object) -> UUID:
    return uuid5(UUID(int=5), str(name))


def ended(name: object, talked: float | None = 60, **facts: Any) -> CallState:
    """An outbound call that ended at noon, answered unless `talked` is None."""
    ended_at = facts.get("ended_at", NOON)
    answered_at = None if talked is None else ended_at - timedelta(seconds=talked)
    given: dict[str, Any] = {
        "call_id": call_id(name),
        "direction": Direction.OUTBOUND,
        "status": Status.ANSWERED if talked is not None else Status.NO_ANSWER,
        "phase": Phase.ENDED,
        "rule": "answered_by_party",
        "reason": None,
        "caller": "101",
        "caller_name": None,
        "callee": NUMBER,
        "line": "+380443303018",
        "groups": [],
        "rung": [],
        "offline": [],
        "answered_by": [],
        "forwarded": [],
        "ended_by": EndedBy.CALLER,
        "cause": 16,
        "sip": None,
        "placed_at": (answered_at or ended_at) - timedelta(seconds=6),
        "ringing_at": None,
        "answered_at": answered_at,
        "ended_at": ended_at,
        "wait_time": timedelta(seconds=6),
        "talk_time": None if talked is None else timedelta(seconds=talked),
        "recorded": False,
        "returned_by": None,
    }
    return CallState(**{**given, **facts})


def freephone(name: object, talked: float, forwarded_after: float) -> CallState:
    """Somebody called the 0800 number and was passed on to a mobile."""
    at = NOON - timedelta(seconds=talked - forwarded_after)
    facts = {"direction": Direction.INBOUND, "caller": NUMBER, "callee": FREEPHONE, "line": FREEPHONE}
    return ended(name, talked, **facts, forwarded=[Forward(to=MOBILE, line=None, at=at)])


def told(state: CallState, version: int = 4, received: float = 0.5, tenant: str = TENANT) -> Message:
    """What calls says of it, `received` seconds after noon."""
    event = CallGivenUp(call_id=state.call_id, at=NOON)
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=f"call-{state.call_id}",
        version=version,
        recorded_at=NOON + timedelta(seconds=received),
        correlation_id=f"about {version}",
        event=event,
    )
    return Message(message(recorded, encode(event), CallStateSchema().dump(state)))


def settings(tenant: str, delay: int | None, version: int) -> Json:
    """What the gateway says that a company has set."""
    set_by_company = SettingsChanged(
        time_zone="Europe/Kyiv",
        region="UA",
        price_delay_seconds=delay,
        returned_window_hours=None,
        retention_days=None,
        currency="EUR",
    )
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=f"settings-{tenant}",
        version=version,
        recorded_at=NOON,
        correlation_id="",
        event=set_by_company,
    )
    return message(recorded, encode(set_by_company), {})


def a_rate(prefix: str, per_minute: str, direction: Direction = Direction.OUTBOUND, **rest: Any) -> Rate:
    return Rate(direction=direction, prefix=prefix, per_minute=Decimal(per_minute), **rest)


RATES = (
    a_rate("+38050", "1.20"),
    a_rate("+38067", "0.60"),
    a_rate("+380", "0.30", Direction.INBOUND, line="+380800"),
)


class Billing:
    """What the service does, at a time that the test sets."""

    def __init__(self, db: Postgres) -> None:
        self.db, self.books, self.now = db, RateBookCache(), NOON

    def tariff(
        self,
        rates: Sequence[Rate] = RATES,
        valid_from: datetime | None = NOON - timedelta(days=365),
        tenant: str = TENANT,
        **words: Any,
    ) -> UUID:
        """A tariff that rules from then on; a draft if that is None."""
        given = {"tariff_id": uuid4(), "name": "Тариф", "currency": "UAH", "rounding": Rounding(), "by": None}
        drafted = {**given, **words}
        with clock.fixed(self.now), self.db.connection() as conn:
            handlers.draft_tariff(conn, command_id=uuid4(), tenant=tenant, drafted=rates, **drafted)
            if valid_from:
                handlers.activate_tariff(conn, uuid4(), tenant, drafted["tariff_id"], valid_from, None)
        found: UUID = drafted["tariff_id"]
        return found

    def hear(self, *messages: Message) -> None:
        with clock.fixed(self.now), self.db.connection() as conn:
            policies.schedule_rating(conn, messages, TERMS)

    def rate(self, after: float, most: int = 100) -> int:
        """Rate what is due so many seconds after noon; how many were."""
        self.now = NOON + timedelta(seconds=after)
        with clock.fixed(self.now), self.db.connection() as conn:
            return policies.rate_due(conn, self.books, TERMS, most)

    def retry(self, *names: object, tenant: str = TENANT, command_id: UUID | None = None) -> Json:
        with clock.fixed(self.now), self.db.connection() as conn:
            return policies.retry(conn, command_id or uuid4(), tenant, [call_id(name) for name in names])

    def price(self, name: object, tenant: str = TENANT) -> Json:
        with self.db.autocommit() as conn:
            return prices.show(conn, tenant, call_id(name))

    def amount(self, name: object) -> str | None:
        found: str | None = self.price(name)["amount"]
        return found

    def count(self, table: str) -> int:
        with self.db.autocommit() as conn:
            row = conn.execute(f"select count(*) from {table}").fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(row[0])
