"""Session tokens: EdDSA JWTs that name the account and the session, and no permissions."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

ISSUER = AUDIENCE = "call-journal"
ALGORITHM = "EdDSA"
CLAIMS = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]
MAX_TOKEN_LENGTH = 4096
COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class BadToken(Exception):
    """The token is not valid, or no longer."""


class UnknownKey(BadToken):
    """The token is signed with an unknown key."""


class Claims(NamedTuple):
    account_id: UUID
    session_id: UUID


class Tokens:
    """Signs with one key; verifies with any key known by its `kid`."""

    def __init__(self, signing: Ed25519PrivateKey, retired: Mapping[str, Ed25519PublicKey] | None = None) -> None:
        self._signing, self._kid = signing, kid_of(signing.public_key())
        self._keys = {**(retired or {}), self._kid: signing.public_key()}

    @classmethod
    def from_files(cls, signing: str, retired: str = "") -> "Tokens":
        """Read the private key file `signing` and the public keys of the folder `retired` ("": none), in PEM."""
        key = load_pem_private_key(Path(signing).read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{signing} is not an Ed25519 key.")
        public_keys = [_public_key(path) for path in sorted(Path(retired).glob("*.pem"))] if retired else []
        return cls(key, {kid_of(public_key): public_key for public_key in public_keys})

    def issue(self, claims: Claims, at: datetime, expires_at: datetime) -> str:
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(claims.account_id),
            "jti": str(claims.session_id),
            "iat": int(at.timestamp()),
            "nbf": int(at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(payload, self._signing, algorithm=ALGORITHM, headers={"kid": self._kid})

    def read(self, token: str) -> Claims:
        """Raises BadToken; its subclass UnknownKey if another issuer may know the key."""
        if len(token) > MAX_TOKEN_LENGTH or not COMPACT.fullmatch(token):
            raise BadToken
        try:
            payload = self._verified(token)
            return Claims(UUID(payload["sub"]), UUID(payload["jti"]))
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken from error

    def _verified(self, token: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self._keys:
            raise UnknownKey
        return jwt.decode(
            token,
            self._keys[kid],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": CLAIMS, "strict_aud": True, "enforce_minimum_key_length": True},
        )


def _public_key(path: Path) -> Ed25519PublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError(f"{path} is not an Ed25519 public key.")
    return key


def kid_of(key: Ed25519PublicKey) -> str:
    return urlsafe_b64encode(hashlib.sha256(key.public_bytes_raw()).digest()[:12]).decode()
