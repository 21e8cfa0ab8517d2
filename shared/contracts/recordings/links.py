"""Links to the sound of a call: made by the gateway for one caller, believed by recordings, and good for two minutes.

`/media/<call id>?link=<words>.<signature>`. The words are base64url of JSON, and say whom the link was given to, for
what, until when and which key signed it; the signature is HMAC-SHA-256 over the HTTP method, the path and the words
as they are written, so that no other spelling of the same link is one.
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
SHORTEST_KEY = 32
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
    """`caller_id`: the account, or the API key, that it was given to. `name`: what to call a downloaded file."""

    call_id: UUID
    tenant: str
    caller_id: UUID
    purpose: Purpose
    name: str = ""


class BadLink(ValueError):
    """Nobody gave out this link, or it was good for something else, or it is no longer."""


class Keyring:
    """The first key signs; links that any of them has signed are good, so that keys can be changed at any time."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError for a key too short to be a secret."""
        if not keys or min(map(len, keys)) < SHORTEST_KEY:
            raise ValueError(f"A key for links needs at least {SHORTEST_KEY} characters.")
        self._keys = {sha256(key.encode()).hexdigest()[:8]: key.encode() for key in keys}
        self._signs = next(iter(self._keys))

    def sign(self, link: Link, now: datetime) -> str:
        """The address of the link, path and query."""
        said = {
            "tenant": link.tenant,
            "for": str(link.caller_id),
            "to": link.purpose,
            "until": (now + LIFETIME).timestamp(),
            "name": link.name,
            "key": self._signs,
        }
        path, words = f"{FOLDER}{link.call_id}", urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        return f"{path}?{QUERY}{words}.{self._signature(self._signs, link.purpose.method, path, words)}"

    def read(self, method: str, path: str, query: str, now: datetime) -> Link:
        """Raises BadLink, which never tells why."""
        words, _, signature = query.removeprefix(QUERY).partition(".")
        try:
            if not query.startswith(QUERY):
                raise BadLink
            said = json.loads(urlsafe_b64decode(words + "=" * (-len(words) % 4)))
            expected = self._signature(said["key"], method, path, words)
            if not hmac.compare_digest(expected.encode(), signature.encode()) or now.timestamp() >= said["until"]:
                raise BadLink
            purpose = Purpose(said["to"])
            if purpose.method != method:
                raise BadLink
            return Link(
                call_id=UUID(path.removeprefix(FOLDER)),
                tenant=said["tenant"],
                caller_id=UUID(said["for"]),
                purpose=purpose,
                name=said["name"],
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadLink from error

    def _signature(self, key: str, method: str, path: str, words: str) -> str:
        signed = f"{method} {path} {words}".encode()
        return urlsafe_b64encode(hmac.digest(self._keys[key], signed, "sha256")).decode().rstrip("=")
