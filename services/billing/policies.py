"""When a call has ended its price becomes due; when it is due the call is rated. Many replicas share the work.

A row of `calls` is the timer: whoever writes of a charge holds its row first, so no two ever do.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.billing import projections, queries
from services.billing.domain import charge as domain
from services.billing.domain import rating
from services.billing.domain.call import EndedCall
from services.billing.domain.charge import Failed, Rated, SetPrice
from services.billing.domain.due import EndHeard, merge
from services.billing.domain.rate_book import RateBook, ruling
from services.billing.queries import Tariffs, Terms
from services.billing.rate_book_cache import RateBookCache
from services.billing.schemas import EndedCallSchema
from shared.contracts.billing.due import due_at
from shared.contracts.billing.events import Price
from shared.contracts.billing.schemas import ChargeSchema
from shared.contracts.calls.events import CallState
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.values import Phase
from shared.contracts.wire import EnvelopeSchema, Json
from shared.plumbing import clock, commands, decider
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import CommandEnvelope
from shared.plumbing.resend import Resend

ROW = """(
    tenant text, call_id uuid, version int, facts jsonb, placed_at timestamptz, ended_at timestamptz,
    received_at timestamptz, due_at timestamptz, pending boolean, correlation_id text)
"""
ADD = f"""
    insert into calls (tenant, call_id, version, facts, placed_at, ended_at, received_at, due_at, pending,
                       correlation_id)
    select * from json_to_recordset(%(rows)s) as heard {ROW}
     order by call_id
        on conflict do nothing
    returning call_id
"""
REPLACE = f"""
    update calls
       set version = heard.version, facts = heard.facts, placed_at = heard.placed_at, ended_at = heard.ended_at,
           received_at = heard.received_at, due_at = heard.due_at, pending = heard.pending,
           correlation_id = heard.correlation_id
      from json_to_recordset(%(rows)s) as heard {ROW}
     where calls.call_id = heard.call_id
"""
RATED = "update calls set pending = false where call_id = any(%(call_ids)s)"
FAILED_AMONG = """
    select calls.call_id
      from calls
      join charges using (call_id)
     where calls.tenant = %(tenant)s and calls.call_id = any(%(call_ids)s) and charges.state = 'failed'
     order by calls.call_id
       for update of calls
"""
AGAIN = "update calls set pending = true where call_id = any(%(call_ids)s)"
HEARTBEAT = "heartbeat"
ENVELOPE = EnvelopeSchema(only=("tenant", "stream", "version", "recorded_at", "correlation_id", "state"))
STATE, CHARGE, ENDED_CALL = CallStateSchema(), ChargeSchema(), EndedCallSchema()
FACTS = tuple(ENDED_CALL.fields)
"""What of a call's state its price follows from."""


class Message(Protocol):
    """A message as the subscription hands it over."""

    @property
    def body(self) -> Any: ...

    @property
    def key(self) -> str: ...


def schedule_rating(conn: Connection, messages: Sequence[Message], default: Terms) -> None:
    """Note of ended calls when their prices are due, in any order and any number of times.

    Raises ValidationError for what is malformed.
    """
    told = (ENVELOPE.load(message.body) for message in messages if message.key != HEARTBEAT)
    ended = [envelope for envelope in told if envelope["state"].get("phase") == Phase.ENDED]
    if not ended:
        return
    terms = queries.terms(conn, {envelope["tenant"] for envelope in ended}, default)
    latest: dict[UUID, EndHeard] = {}
    for envelope in cooperatively(ended):
        if heard := _heard(envelope, terms[envelope["tenant"]].price_delay):
            known = latest.get(heard.call_id)
            latest[heard.call_id] = merge(known, heard) if known else heard
    if latest:
        _note(conn, latest)


def _heard(envelope: Json, delay: timedelta) -> EndHeard | None:
    """None while the call is not shown: nobody has said yet that it was placed."""
    state: CallState = STATE.load(envelope["state"])
    if state.placed_at is None or state.ended_at is None:
        return None
    return EndHeard(
        tenant=envelope["tenant"],
        call_id=state.call_id,
        version=envelope["version"],
        facts={name: envelope["state"][name] for name in FACTS},
        placed_at=state.placed_at,
        ended_at=state.ended_at,
        received_at=envelope["recorded_at"],
        due_at=due_at(state.ended_at, envelope["recorded_at"], delay),
        pending=True,
        correlation_id=envelope["correlation_id"],
    )


def _note(conn: Connection, latest: dict[UUID, EndHeard]) -> None:
    added = {call_id for (call_id,) in conn.execute(ADD, {"rows": as_rows([_row(one) for one in latest.values()])})}
    if len(added) < len(latest):
        merged = [
            (known, merge(known, latest[known.call_id]))
            for known in queries.heard(conn, [call_id for call_id in latest if call_id not in added])
        ]
        if changed := [_row(both) for known, both in merged if both != known]:
            conn.execute(REPLACE, {"rows": as_rows(changed)})


def _row(heard: EndHeard) -> Json:
    return {name: getattr(heard, name) for name in EndHeard.__dataclass_fields__}


def rate_due(conn: Connection, books: RateBookCache, default: Terms, most: int) -> int:
    """Rate calls whose price is due, `most` of them; returns how many."""
    now = clock.now()
    due = queries.claim(conn, now, most)
    if due:
        tenants = {one.tenant for one in due}
        tariffs, terms = queries.active_tariffs(conn, tenants), queries.terms(conn, tenants, default)
        orders = [order(conn, books, one, tariffs[one.tenant], terms[one.tenant], now) for one in due]
        changes = decider.execute(conn, domain, orders, describe)
        projections.keep_charges(conn, changes, now)
        conn.execute(RATED, {"call_ids": [one.call_id for one in due]})
    return len(due)


def order(
    conn: Connection, books: RateBookCache, due: EndHeard, tariffs: Tariffs, terms: Terms, now: datetime
) -> CommandEnvelope:
    """Rate the call by the tariff in force when it was answered."""
    call: EndedCall = ENDED_CALL.load(due.facts)
    tariff_id = ruling(tariffs.validities, call.answered_at or call.placed_at)
    book = books.of(conn, tariffs.by_id[tariff_id]) if tariff_id else None
    command = SetPrice(
        call_id=due.call_id,
        call_version=due.version,
        due_at=due.due_at,
        outcome=outcome(call, book, terms.currency),
        at=now,
    )
    return CommandEnvelope(
        tenant=due.tenant, stream=f"charge-{due.call_id}", command=command, correlation_id=due.correlation_id
    )


def outcome(call: EndedCall, book: RateBook | None, currency: str) -> Price | Failed:
    """The price, or why there is none."""
    try:
        return rating.rate(call, book, currency)
    except rating.Unrated as error:
        return Failed(reason=error.reason, number=error.number)


def describe(stream: str, rated: Rated) -> Json:
    """What is published of a charge."""
    described: Json = CHARGE.dump(rated.charge)
    return described


def retry(conn: Connection, command_id: UUID, tenant: str, call_ids: Sequence[UUID]) -> Json:
    """Rate calls whose rating failed once more, as soon as may be: `{"retried": 3}`."""

    def again() -> Json:
        wanted = {"tenant": tenant, "call_ids": list(call_ids)}
        failed = [call_id for (call_id,) in conn.execute(FAILED_AMONG, wanted)]
        conn.execute(AGAIN, {"call_ids": failed})
        return {"retried": len(failed)}

    return commands.once(conn, command_id, again)


resend = Resend("charge", "charges", domain, describe)
