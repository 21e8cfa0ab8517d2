"""Where a stream has got to in a tenant's feed, as a word that only we can read and only that tenant can use."""

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


def decode(tenant: str, word: str, last: int) -> int:
    """Raises Invalid for anything that `encode` has not made for this tenant, up to its `last` number."""
    try:
        _, feed = LAYOUT.unpack(urlsafe_b64decode(word)[:-CHECK_LENGTH])
        if encode(tenant, feed) == word and feed <= last:
            return int(feed)
    except (NotBase64, struct.error, ValueError):
        pass
    raise Invalid("The stream cannot be resumed there.", {HEADER: ["Not an id of this journal's stream."]})


def _check(tenant: str, packed: bytes) -> bytes:
    return blake2b(packed + tenant.encode(), digest_size=CHECK_LENGTH, person=b"stream").digest()
