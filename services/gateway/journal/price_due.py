"""Predict when the price of an ended call is due, by the same rule as billing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from shared.contracts.billing.due import due_at
from shared.contracts.values import Phase
from shared.contracts.wire import Json, instant

PRICE_DELAYS = """
    select key, price_delay_seconds
      from tenants
     where key = any(%(tenants)s) and price_delay_seconds is not null
"""
DEFAULT_PRICE_DELAY = timedelta(seconds=300)


def predicted_due_at(conn: Connection[Any], envelopes: Sequence[Json], default_delay: timedelta) -> list[str | None]:
    """The due time for each envelope of a call; None while the call lasts.

    `default_delay` is for companies that have set none.
    """
    ended = {envelope["tenant"] for envelope in envelopes if envelope["state"]["phase"] == Phase.ENDED}
    own_delays = dict(conn.execute(PRICE_DELAYS, {"tenants": list(ended)}).fetchall()) if ended else {}
    delays = {
        tenant: timedelta(seconds=own_delays[tenant]) if tenant in own_delays else default_delay for tenant in ended
    }
    return [_price_due_at(envelope, delays) for envelope in envelopes]


def _price_due_at(envelope: Json, delays: Mapping[str, timedelta]) -> str | None:
    state = envelope["state"]
    if state["phase"] != Phase.ENDED or state["ended_at"] is None:
        return None
    ended_at = datetime.fromisoformat(state["ended_at"])
    return instant(due_at(ended_at, envelope["recorded_at"], delays[envelope["tenant"]]))
