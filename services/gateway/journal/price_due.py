"""When the price of a call will be there, foretold by billing's own rule when its end is heard."""

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
INSTALLED = timedelta(seconds=300)


def foretold(conn: Connection[Any], told: Sequence[Json], installed: timedelta) -> list[str | None]:
    """For each envelope of a call; None while it lives. `installed` is the delay of companies that have set none."""
    ended = {envelope["tenant"] for envelope in told if envelope["state"]["phase"] == Phase.ENDED}
    set_ = dict(conn.execute(PRICE_DELAYS, {"tenants": list(ended)}).fetchall()) if ended else {}
    delays = {tenant: timedelta(seconds=set_[tenant]) if tenant in set_ else installed for tenant in ended}
    return [_price_due_at(envelope, delays) for envelope in told]


def _price_due_at(envelope: Json, delays: Mapping[str, timedelta]) -> str | None:
    state = envelope["state"]
    if state["phase"] != Phase.ENDED or state["ended_at"] is None:
        return None
    ended_at = datetime.fromisoformat(state["ended_at"])
    return instant(due_at(ended_at, envelope["recorded_at"], delays[envelope["tenant"]]))
