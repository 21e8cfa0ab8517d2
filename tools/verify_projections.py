"""Whether the rows that owners keep still say what their streams say."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from services.billing import handlers as tariffs
from services.billing import policies as charges
from services.billing import projections as billing
from services.billing.domain import charge, tariff
from services.calls import handlers as calls
from services.calls import projections as calls_rows
from services.calls.domain import call
from services.comments import handlers as comments
from services.comments import projections as comments_rows
from services.comments.domain import comment
from services.recordings import handlers as recordings
from services.recordings import projections as recordings_rows
from services.recordings.domain import recording
from shared.contracts.event import Recorded
from shared.contracts.wire import Json, instant
from shared.plumbing import decider, store
from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed, Decider

AT_ONCE = 500


class Rows(NamedTuple):
    """A table with a row for each stream whose name begins with `prefix`; `key` is the rest of the name.

    `row`: what of a row follows from its stream, when `describe` says what is published of it.
    """

    owner: str
    prefix: str
    table: str
    key: str
    domain: Decider
    describe: Callable[[str, Any], Json]
    row: Callable[[Changed], Json]


ROWS = (
    Rows("calls", "call-", "calls", "call_id", call, calls.describe, calls_rows.row),
    Rows("comments", "comment-", "comments", "call_id", comment, comments.describe, comments_rows.row),
    Rows("billing", "charge-", "charges", "call_id", charge, charges.describe, billing.charge_row),
    Rows("billing", "tariff-", "tariffs", "tariff_id", tariff, tariffs.describe, billing.tariff_row),
    Rows("recordings", "recording-", "recordings", "call_id", recording, recordings.describe, recordings_rows.row),
)

STREAMS = """
    select distinct stream
      from events
     where stream > %(after)s and starts_with(stream, %(prefix)s)
     order by stream
     limit %(limit)s
"""
FIND = sql.SQL("select * from {table} where {key} = any(%(keys)s)")
STRAY = sql.SQL("""
    select {key} from {table} where not exists (select from events where stream = %(prefix)s || {key})
""")


def differences(conn: psycopg.Connection[Any], rows: Rows) -> Iterator[tuple[str, str]]:
    """Every stream with how its row differs from what the stream amounts to; "" when it does not.

    In one transaction of repeatable reads: row and stream are always of the same moment.
    """
    after, named = "", {"table": sql.Identifier(rows.table), "key": sql.Identifier(rows.key)}
    while streams := _streams(conn, rows.prefix, after):
        found = _found(conn, FIND.format(**named), rows, streams)
        for stream, history in store.read(cast(Connection, conn), streams).items():
            yield stream, _difference(_expected(rows, stream, history), found.get(stream))
        after = streams[-1]
    for (key,) in conn.execute(STRAY.format(**named), {"prefix": rows.prefix}):
        yield f"{rows.prefix}{key}", "has a row and no stream"


def _streams(conn: psycopg.Connection[Any], prefix: str, after: str) -> list[str]:
    asked = {"prefix": prefix, "after": after, "limit": AT_ONCE}
    return [stream for (stream,) in conn.execute(STREAMS, asked)]


def _found(conn: psycopg.Connection[Any], query: sql.Composed, rows: Rows, streams: Sequence[str]) -> dict[str, Json]:
    keys = [UUID(stream.removeprefix(rows.prefix)) for stream in streams]
    with conn.cursor(row_factory=dict_row) as cursor:
        return {f"{rows.prefix}{row[rows.key]}": row for row in cursor.execute(query, {"keys": keys})}


def _expected(rows: Rows, stream: str, history: Sequence[Recorded]) -> Json:
    state = decider.replay(rows.domain, history)
    published = rows.describe(stream, state)
    return rows.row(
        Changed(
            tenant=history[0].tenant,
            stream=stream,
            version=len(history),
            before=rows.domain.INITIAL,
            after=state,
            published=published,
        )
    )


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
    return str(value) if isinstance(value, UUID | Decimal) else value
