"""Encode a position in a tenant's feed as an opaque event id that is valid for that tenant only."""

import struct

from services.gateway.http.cursors import CursorCodec

HEADER = "Last-Event-ID"
LAYOUT = struct.Struct(">BQ")
VERSION = 1


def _unpack(packed: bytes) -> int:
    _, feed = LAYOUT.unpack(packed)
    return int(feed)


EVENT_IDS = CursorCodec[int](
    lambda feed: LAYOUT.pack(VERSION, feed), _unpack, person=b"stream", field=HEADER, error_code="event_id_invalid"
)


def encode(tenant: str, feed: int) -> str:
    return EVENT_IDS.encode(feed, tenant)


def decode(tenant: str, event_id: str, last_feed: int) -> int:
    """The feed number of an event id. Raises Invalid unless `encode` made it for this tenant, up to `last_feed`."""
    feed = EVENT_IDS.decode(event_id, tenant)
    if feed > last_feed:
        raise EVENT_IDS.invalid()
    return feed
