"""Streams as people read them, and published once more."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg

from services.billing import policies as billing
from services.calls import handlers as calls
from services.comments import handlers as comments
from services.recordings import handlers as recordings
from shared.contracts.event import Recorded
from shared.contracts.wire import encode, instant
from shared.plumbing import store
from shared.plumbing.database import Connection, Postgres

OWNERS = {
    "call-": "calls",
    "comment-": "comments",
    "charge-": "billing",
    "tariff-": "billing",
    "recording-": "recordings",
}
"""Whose stream it is, by how its name begins."""
RESENDS = {
    "calls": calls.resend,
    "comments": comments.resend,
    "billing": billing.resend,
    "recordings": recordings.resend,
}
"""How each owner publishes once more what a view is made of."""
RESENT_AT_ONCE = 1000


def owner_of(stream: str) -> str | None:
    return next((owner for prefix, owner in OWNERS.items() if stream.startswith(prefix)), None)


def told(conn: psycopg.Connection[Any], stream: str) -> Iterator[str]:
    """A line for each event."""
    for recorded in store.read(cast(Connection, conn), [stream])[stream]:
        yield _line(recorded)


def _line(recorded: Recorded) -> str:
    type_, _, data = encode(recorded.event)
    at = data.pop("at", None) or instant(recorded.recorded_at)
    words = ", ".join(f"{name} {value}" for name, value in data.items() if name != "call_id" and value is not None)
    about = f"recorded {instant(recorded.recorded_at)}, for {recorded.correlation_id or 'nobody'}"
    return f"{recorded.version:>3}  {at}  {type_:<22}{words}\n     {about}"


def resend(owner: str, url: str, tenant: str) -> Iterator[int]:
    """Publish all that an owner has of the tenant once more, so that a view gets back what it lost; how many so far."""
    postgres, sent, after = Postgres(url, size=1), 0, None
    postgres.open()
    try:
        while True:
            with postgres.connection() as conn:
                answer = RESENDS[owner](conn, uuid4(), tenant, None, after, RESENT_AT_ONCE)
            if answer["last"] is None:
                return
            sent, after = sent + answer["sent"], UUID(answer["last"])
            yield sent
    finally:
        postgres.close()
