"""Verify requests that are signed with an API key; the key itself is not sent.

    Authorization: Signature key=<id of the key>, at=<Unix seconds>, hmac=<64 hexadecimal digits>

The HMAC-SHA256 is of `<at>\\n<METHOD>\\n<path>\\n<body>`, keyed with the SHA-256 of the API key, which is all
that is stored of it.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

SCHEME = "Signature"
MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Greatest difference between the clocks. A replay within it is harmless: reports have unique ids."""

_FORM = re.compile(r"(?i:signature) +key=([0-9a-fA-F-]{36}), *at=(\d{1,11}), *hmac=([0-9a-fA-F]{64})")


class Signature(NamedTuple):
    key_id: UUID
    at: datetime
    hmac: bytes

    def is_fresh(self, now: datetime) -> bool:
        return abs(now - self.at) <= MAX_CLOCK_SKEW

    def matches(self, secret: bytes, method: str, path: str, body: bytes) -> bool:
        """Whether the signature is of this request and this key. `secret` is the key's digest."""
        signed = f"{int(self.at.timestamp())}\n{method}\n{path}\n".encode() + body
        return hmac.compare_digest(self.hmac, hmac.new(secret, signed, hashlib.sha256).digest())


def read(header: str) -> Signature | None:
    """Parse an Authorization header. None if it is not a signature."""
    match = _FORM.fullmatch(header.strip())
    if not match:
        return None
    try:
        return Signature(UUID(match[1]), datetime.fromtimestamp(int(match[2]), UTC), bytes.fromhex(match[3]))
    except (ValueError, OverflowError):
        return None
