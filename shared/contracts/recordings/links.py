"""Signed links to the audio of a call: signed by the gateway for one caller, verified by recordings.

`/media/<call id>?link=<claims>.<signature>`. The claims are base64url of JSON: the caller, the purpose, the expiry time
and the id of the signing key. The signature is HMAC-SHA-256 over the HTTP method, the path and the encoded claims, so
that no other spelling of the same link is valid.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

LIFETIME = timedelta(seconds=120)
MIN_KEY_LENGTH = 32
FOLDER, QUERY = "/media/", "link="


class Purpose(StrEnum):
    PLAY = "play"
    DOWNLOAD = "download"
    UPLOAD = "upload"

    @property
    def method(self) -> str:
        return "PUT" if self is Purpose.UPLOAD else "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`caller_id`: the account or API key that the link is for. `name`: the file name of a download."""

    call_id: UUID
    tenant: str
    caller_id: UUID
    purpose: Purpose
    name: str = ""


class BadLink(ValueError):
    """The link has no valid signature, is for another request, or has expired."""


class Keyring:
    """The first key signs; any of the keys verifies, so that keys can be changed at any time."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError for a key too short to be a secret."""
        if not keys or min(map(len, keys)) < MIN_KEY_LENGTH:
            raise ValueError(f"A key for links needs at least {MIN_KEY_LENGTH} characters.")
        self._keys = {sha256(key.encode()).hexdigest()[:8]: key.encode() for key in keys}
        self._signing_key_id = next(iter(self._keys))

    def sign(self, link: Link, now: datetime) -> str:
        """The address of the link, path and query."""
        claims = {
            "tenant": link.tenant,
            "for": str(link.caller_id),
            "to": link.purpose,
            "until": (now + LIFETIME).timestamp(),
            "name": link.name,
            "key": self._signing_key_id,
        }
        path, encoded = f"{FOLDER}{link.call_id}", urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"{path}?{QUERY}{encoded}.{self._signature(self._signing_key_id, link.purpose.method, path, encoded)}"

    def read(self, method: str, path: str, query: str, now: datetime) -> Link:
        """Raises BadLink, without the reason."""
        encoded, _, signature = query.removeprefix(QUERY).partition(".")
        try:
            if not query.startswith(QUERY):
                raise BadLink
            claims = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
            expected = self._signature(claims["key"], method, path, encoded)
            if not hmac.compare_digest(expected.encode(), signature.encode()) or now.timestamp() >= claims["until"]:
                raise BadLink
            purpose = Purpose(claims["to"])
            if purpose.method != method:
                raise BadLink
            return Link(
                call_id=UUID(path.removeprefix(FOLDER)),
                tenant=claims["tenant"],
                caller_id=UUID(claims["for"]),
                purpose=purpose,
                name=claims["name"],
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadLink from error

    def _signature(self, key_id: str, method: str, path: str, encoded: str) -> str:
        message = f"{method} {path} {encoded}".encode()
        return urlsafe_b64encode(hmac.digest(self._keys[key_id], message, "sha256")).decode().rstrip("=")
