"""Compare the rows of the owners' tables with the streams that they are derived from."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from shared.contracts.event import Recorded
from shared.contracts.topology import EVENT_SOURCES
from shared.contracts.wire import Json, instant
from shared.owned_streams import StreamKind
from shared.plumbing import decider, store
from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed
from tools.streams import owned_streams

BATCH = 500


class Projection(NamedTuple):
    """The table of a stream kind in the database of its owner."""

    owner: str
    kind: StreamKind


def projections() -> list[Projection]:
    """Every table that has a row for each stream."""
    return [Projection(owner, kind) for owner in EVENT_SOURCES for kind in owned_streams(owner).kinds]


STREAMS = """
    select distinct stream
      from events
     where stream > %(after)s and starts_with(stream, %(prefix)s)
     order by stream
     limit %(limit)s
"""
FIND_ROWS = sql.SQL("select * from {table} where {key} = any(%(keys)s)")
ROWS_WITHOUT_STREAM = sql.SQL("""
    select {key} from {table} where not exists (select from events where stream = %(prefix)s || {key})
""")


def differences(conn: psycopg.Connection[Any], kind: StreamKind) -> Iterator[tuple[str, str]]:
    """Yield every stream with how its row differs from the state of the stream; "" if it does not.

    The transaction must be one of repeatable reads: then row and stream are of the same moment.
    """
    after, names = "", {"table": sql.Identifier(kind.table), "key": sql.Identifier(kind.key)}
    while streams := _streams(conn, kind.prefix, after):
        rows = _rows(conn, FIND_ROWS.format(**names), kind, streams)
        for stream, history in store.read(cast(Connection, conn), streams).items():
            yield stream, _difference(_expected(kind, stream, history), rows.get(stream))
        after = streams[-1]
    for (key,) in conn.execute(ROWS_WITHOUT_STREAM.format(**names), {"prefix": kind.prefix}):
        yield f"{kind.prefix}{key}", "has a row and no stream"


def _streams(conn: psycopg.Connection[Any], prefix: str, after: str) -> list[str]:
    parameters = {"prefix": prefix, "after": after, "limit": BATCH}
    return [stream for (stream,) in conn.execute(STREAMS, parameters)]


def _rows(
    conn: psycopg.Connection[Any], query: sql.Composed, kind: StreamKind, streams: Sequence[str]
) -> dict[str, Json]:
    keys = [UUID(stream.removeprefix(kind.prefix)) for stream in streams]
    with conn.cursor(row_factory=dict_row) as cursor:
        return {f"{kind.prefix}{row[kind.key]}": row for row in cursor.execute(query, {"keys": keys})}


def _expected(kind: StreamKind, stream: str, history: Sequence[Recorded]) -> Json:
    state = decider.replay(kind.domain, history)
    published = kind.published_state(stream, state)
    return kind.row(
        Changed(
            tenant=history[0].tenant,
            stream=stream,
            version=len(history),
            before=kind.domain.INITIAL,
            after=state,
            published=published,
        )
    )


def _difference(expected: Json, row: Json | None) -> str:
    if row is None:
        return "has no row"
    actual = {name: _as_json(row[name]) for name in expected}
    return "; ".join(
        f"{name} is {actual[name]}, its stream says {wanted}"
        for name, wanted in expected.items()
        if actual[name] != wanted
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return str(value) if isinstance(value, UUID | Decimal) else value
