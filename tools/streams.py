"""Print the events of a stream, and publish the states of streams once more."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg

from shared.contracts.event import Recorded
from shared.contracts.topology import STREAM_OWNERS, stream_kind
from shared.contracts.wire import encode, instant
from shared.owned_streams import OwnedStreams
from shared.plumbing import store
from shared.plumbing.database import Connection, Postgres

RESEND_BATCH = 1000


def owner_of(stream: str) -> str | None:
    """The service that owns the stream; None if its kind is unknown."""
    return STREAM_OWNERS.get(stream_kind(stream))


def owned_streams(owner: str) -> OwnedStreams:
    owned: OwnedStreams = import_module(f"services.{owner}.streams").OWNED_STREAMS
    return owned


def event_lines(conn: psycopg.Connection[Any], stream: str) -> Iterator[str]:
    """Yield two lines of text for each event."""
    for recorded in store.read(cast(Connection, conn), [stream])[stream]:
        yield _line(recorded)


def _line(recorded: Recorded) -> str:
    type_, _, data = encode(recorded.event)
    at = data.pop("at", None) or instant(recorded.recorded_at)
    fields = ", ".join(f"{name} {value}" for name, value in data.items() if name != "call_id" and value is not None)
    recording = f"recorded {instant(recorded.recorded_at)}, for {recorded.correlation_id or 'nobody'}"
    return f"{recorded.version:>3}  {at}  {type_:<22}{fields}\n     {recording}"


def resend(owner: str, url: str, tenant: str) -> Iterator[int]:
    """Publish the states of all streams of the tenant once more; yields how many so far. Views take them up."""
    resend_batch = owned_streams(owner).resend
    postgres, sent, after = Postgres(url, size=1), 0, None
    postgres.open()
    try:
        while True:
            with postgres.connection() as conn:
                response = resend_batch(conn, uuid4(), tenant, None, after, RESEND_BATCH)
            if response["last"] is None:
                return
            sent, after = sent + response["sent"], UUID(response["last"])
            yield sent
    finally:
        postgres.close()
