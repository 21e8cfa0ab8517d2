"""A request signed with a key that is not sent.

    Authorization: Signature key=<id of the key>, at=<Unix seconds>, hmac=<64 hexadecimal digits>

The HMAC-SHA256 is of `<at>\\n<METHOD>\\n<path>\\n<body>`, under the SHA-256 of the key: all that is kept of it.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

SCHEME = "Signature"
MAY_BE_OFF = timedelta(minutes=5)
"""Between the clocks of who signs and who verifies. Within it a repeat is taken: reports are known by their id."""

_FORM = re.compile(r"(?i:signature) +key=([0-9a-fA-F-]{36}), *at=(\d{1,11}), *hmac=([0-9a-fA-F]{64})")


class Signature(NamedTuple):
    key_id: UUID
    at: datetime
    hmac: bytes

    def is_fresh(self, now: datetime) -> bool:
        return abs(now - self.at) <= MAY_BE_OFF

    def fits(self, secret: bytes, method: str, path: str, body: bytes) -> bool:
        """Was it made of this request by who knows the key? `secret` is the key's digest."""
        signed = f"{int(self.at.timestamp())}\n{method}\n{path}\n".encode() + body
        return hmac.compare_digest(self.hmac, hmac.new(secret, signed, hashlib.sha256).digest())


def read(header: str) -> Signature | None:
    """None for what is no signature."""
    match = _FORM.fullmatch(header.strip())
    if not match:
        return None
    try:
        return Signature(UUID(match[1]), datetime.fromtimestamp(int(match[2]), UTC), bytes.fromhex(match[3]))
    except (ValueError, OverflowError):
        return None
