"""The latest heartbeat of each service that publishes events: when it was sent and the age of its outbox."""

from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from psycopg import Connection

from services.gateway.domain.freshness import Heartbeat
from services.gateway.http.schemas import load
from shared.contracts.wire import Instant
from shared.plumbing.database import as_rows

HEARTBEAT = "heartbeat"
"""The routing key of heartbeats."""
RECORD_HEARTBEATS = """
    insert into heartbeats (owner, sent_at, outbox_age)
    select distinct on (owner) owner, at, outbox_age
      from json_to_recordset(%(heartbeats)s) as heartbeat (owner text, at timestamptz, outbox_age double precision)
     order by owner, at desc
        on conflict (owner) do update set sent_at = excluded.sent_at, outbox_age = excluded.outbox_age
     where heartbeats.sent_at < excluded.sent_at
"""
LATEST_HEARTBEATS = "select owner, sent_at, outbox_age from heartbeats"


class HeartbeatSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    owner = fields.String(required=True)
    at = Instant(required=True)
    outbox_age = fields.Float(required=True)


HEARTBEAT_SCHEMA = HeartbeatSchema()


def record(conn: Connection[Any], received: Sequence[Any]) -> None:
    """Store the latest heartbeat of each owner. Raises Invalid for a malformed one."""
    for heartbeat in received:
        load(HEARTBEAT_SCHEMA, heartbeat)
    if received:
        conn.execute(RECORD_HEARTBEATS, {"heartbeats": as_rows(received)})


def latest(conn: Connection[Any]) -> dict[str, Heartbeat]:
    """The latest heartbeat by owner."""
    return {owner: Heartbeat(*heartbeat) for owner, *heartbeat in conn.execute(LATEST_HEARTBEATS)}
