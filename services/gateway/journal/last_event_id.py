"""Encode a position in a tenant's feed as an opaque event id that is valid for that tenant only."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import blake2b

from shared.contracts.errors import Invalid

HEADER = "Last-Event-ID"
LAYOUT = struct.Struct(">BQ")
VERSION = 1
CHECK_LENGTH = 6


def encode(tenant: str, feed: int) -> str:
    packed = LAYOUT.pack(VERSION, feed)
    return urlsafe_b64encode(packed + _check(tenant, packed)).decode()


def decode(tenant: str, event_id: str, last_feed: int) -> int:
    """The feed number of an event id. Raises Invalid unless `encode` made it for this tenant, up to `last_feed`."""
    try:
        _, feed = LAYOUT.unpack(urlsafe_b64decode(event_id)[:-CHECK_LENGTH])
        if encode(tenant, feed) == event_id and feed <= last_feed:
            return int(feed)
    except (NotBase64, struct.error, ValueError):
        pass
    raise Invalid("event_id_invalid", field=HEADER)


def _check(tenant: str, packed: bytes) -> bytes:
    return blake2b(packed + tenant.encode(), digest_size=CHECK_LENGTH, person=b"stream").digest()
