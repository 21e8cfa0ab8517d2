"""Event streams in Postgres: lock, read and append; appended events also go to the outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from psycopg.rows import dict_row

from shared.contracts.errors import Conflict
from shared.contracts.event import Event, Recorded
from shared.contracts.wire import Json, decode, encode, message
from shared.plumbing.database import Connection, as_rows

# Locked in order of the key, so that two writers of the same streams cannot deadlock.
LOCK = """
    select pg_advisory_xact_lock(key)
      from (select distinct hashtextextended(stream, 0) as key
              from unnest(%(streams)s::text[]) as stream order by 1) as keys
"""
READ = """
    select id, tenant, stream, version, recorded_at, correlation_id, type, schema_version, data
      from events
     where stream = any(%(streams)s)
     order by stream, version
"""
OUTBOX = ("key", "phase", "correlation_id", "body")
# One JSON document as the parameter: psycopg's text arrays cost several times as much.
OUTGOING = """
    insert into outbox (key, phase, correlation_id, body)
    select key, phase, correlation_id, body
      from rows from (json_to_recordset(%(rows)s) as (key text, phase text, correlation_id text, body text))
           with ordinality as message (key, phase, correlation_id, body, place)
"""
SEND = f"{OUTGOING} order by place"
# All or nothing in one statement; a savepoint would cost two more round trips.
APPEND = f"""
    with new as (
        select * from json_populate_recordset(null::events, %(events)s)
    ), appended as (
        insert into events
        select * from new
         where not exists (select from new join events using (stream, version))
            on conflict (stream, version) do nothing
        returning 1
    ), sent as (
        {OUTGOING} where (select count(*) from appended) = (select count(*) from new) order by place
    )
    select count(*) from appended
"""

Encoded = tuple[str, int, Json]


class NewEvent(NamedTuple):
    """An event to append, the state of its stream after it, and the correlation id of its command."""

    event: Event
    state: Json
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Events for one stream after version `seen`."""

    tenant: str
    stream: str
    seen: int
    events: Sequence[NewEvent]


def lock(conn: Connection, streams: Iterable[str]) -> None:
    """Lock these streams for writing until the transaction ends."""
    conn.execute(LOCK, {"streams": list(streams)})


def read(conn: Connection, streams: Iterable[str]) -> dict[str, list[Recorded]]:
    """The events of each stream, oldest first; [] for a stream that does not exist."""
    found: dict[str, list[Recorded]] = {stream: [] for stream in streams}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(READ, {"streams": list(found)}):
            found[row["stream"]].append(_recorded(row))
    return found


def append(conn: Connection, appends: Sequence[Append], at: datetime) -> list[Recorded]:
    """Append all events and their outbox messages, or nothing. Raises Conflict if another writer was first."""
    rows, messages = [], []
    for one in appends:
        for version, written in enumerate(one.events, one.seen + 1):
            recorded, encoded = _record(one, version, written, at), encode(written.event)
            # The columns have the names of a message's fields; there is no column for the state.
            rows.append(message(recorded, encoded, {}))
            messages.append((recorded, encoded, written.state))
    if rows:
        appended = conn.execute(APPEND, {"events": as_rows(rows), "rows": _outgoing(messages)}).fetchone()
        if appended != (len(rows),):
            raise Conflict(message=f"Another writer was first to {appends[0].stream}.")
        conn.outbox_filled = True
    return [recorded for recorded, _, _ in messages]


def resend(conn: Connection, messages: Iterable[tuple[Recorded, Json]]) -> None:
    """Publish events again, each with the state after it."""
    conn.execute(SEND, {"rows": _outgoing([(one, encode(one.event), state) for one, state in messages])})
    conn.outbox_filled = True


def _outgoing(messages: Sequence[tuple[Recorded, Encoded, Json]]) -> str:
    rows = (
        (encoded[0], state.get("phase"), recorded.correlation_id, message(recorded, encoded, state))
        for recorded, encoded, state in messages
    )
    return as_rows([dict(zip(OUTBOX, row, strict=True)) for row in rows])


def _record(one: Append, version: int, written: NewEvent, at: datetime) -> Recorded:
    return Recorded(
        id=uuid4(),
        tenant=one.tenant,
        stream=one.stream,
        version=version,
        recorded_at=at,
        correlation_id=written.correlation_id,
        event=written.event,
    )


def _recorded(row: dict[str, Any]) -> Recorded:
    event = decode(row.pop("type"), row.pop("schema_version"), row.pop("data"))
    return Recorded(event=event, **row)
