"""What the owners of the journal's facts last said of themselves: that they are there, and how far behind."""

from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from psycopg import Connection

from services.gateway.domain.freshness import Heartbeat
from services.gateway.http.schemas import load
from shared.contracts.wire import Instant
from shared.plumbing.database import as_rows

HEARTBEAT = "heartbeat"
"""The routing key by which a heartbeat is known."""
HEAR = """
    insert into owners (owner, said_at, outbox_age)
    select distinct on (owner) owner, at, outbox_age
      from json_to_recordset(%(beats)s) as beat (owner text, at timestamptz, outbox_age double precision)
     order by owner, at desc
        on conflict (owner) do update set said_at = excluded.said_at, outbox_age = excluded.outbox_age
     where owners.said_at < excluded.said_at
"""
HEARD = "select owner, said_at, outbox_age from owners"


class HeartbeatSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    owner = fields.String(required=True)
    at = Instant(required=True)
    outbox_age = fields.Float(required=True)


BEAT = HeartbeatSchema()


def hear(conn: Connection[Any], beats: Sequence[Any]) -> None:
    """Keep the latest of each owner. Raises Invalid for what is malformed."""
    for beat in beats:
        load(BEAT, beat)
    if beats:
        conn.execute(HEAR, {"beats": as_rows(beats)})


def heard(conn: Connection[Any]) -> dict[str, Heartbeat]:
    """What was last heard from each owner of facts."""
    return {owner: Heartbeat(*beat) for owner, *beat in conn.execute(HEARD)}
