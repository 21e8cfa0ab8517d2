"""Streams as people read them, and whether the rows made of them still agree."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from services.billing import policies as billing
from services.calls import handlers, projections
from services.calls.domain import call as domain
from services.comments import handlers as comments
from services.recordings import handlers as recordings
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.event import Recorded
from shared.contracts.wire import Json, encode, instant
from shared.plumbing import decider, store
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
    "calls": handlers.resend,
    "comments": comments.resend,
    "billing": billing.resend,
    "recordings": recordings.resend,
}
"""How each owner publishes once more what a view is made of."""
AT_ONCE, RESENT_AT_ONCE = 500, 1000

STREAMS = "select distinct stream from events where stream > %s order by stream limit %s"
ROWS = "select * from calls where call_id = any(%s)"
STRAY = "select call_id from calls where not exists (select from events where stream = 'call-' || call_id)"


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


def differences(conn: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """Every stream of calls, with how its row differs from what the stream amounts to; "" when it does not.

    In one transaction of repeatable reads: row and stream are always of the same moment.
    """
    last = ""
    while streams := [stream for (stream,) in conn.execute(STREAMS, (last, AT_ONCE))]:
        rows = _rows(conn, streams)
        for stream, history in store.read(cast(Connection, conn), streams).items():
            yield stream, _difference(_expected(stream, history), rows.get(stream))
        last = streams[-1]
    for (call_id,) in conn.execute(STRAY):
        yield f"call-{call_id}", "has a row and no stream"


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


def _rows(conn: psycopg.Connection[Any], streams: Sequence[str]) -> dict[str, Json]:
    with conn.cursor(row_factory=dict_row) as cursor:
        ids = [UUID(stream.removeprefix("call-")) for stream in streams]
        return {f"call-{row['call_id']}": row for row in cursor.execute(ROWS, (ids,))}


def _expected(stream: str, history: Sequence[Recorded]) -> Json:
    call = decider.replay(domain, history)
    state: Json = CallStateSchema().dump(domain.state(UUID(stream.removeprefix("call-")), call))
    shown = {name: state[name] for name in projections.SHOWN}
    return {"version": len(history), "tenant": history[0].tenant, "state": state, **shown}


def _difference(expected: Json, row: Json | None) -> str:
    if row is None:
        return "has no row"
    found = {name: _as_json(row[name]) for name in expected}
    return "; ".join(
        f"{name} is {found[name]}, its stream says {wanted}"
        for name, wanted in expected.items()
        if found[name] != wanted
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return str(value) if isinstance(value, UUID) else value
