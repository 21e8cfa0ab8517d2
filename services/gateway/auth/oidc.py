"""ID tokens of an external identity provider (OIDC), verified with the keys that it publishes (JWKS).

A token of the provider starts a session whose id is derived from the token. Signing out, a new role and a disabled
account end it like any other session.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from jwt import PyJWK
from psycopg import Connection

from services.gateway.auth.tokens import MAX_TOKEN_LENGTH, BadToken
from services.gateway.directory import repository
from services.gateway.domain.people import Account

logger = logging.getLogger(__name__)

ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("RSA", None): "RS256"}
"""By the type and curve of a key; other keys of a provider are ignored."""
CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
MAX_KEYS = 100
KEYS_TTL = 300.0
"""Seconds after which the keys are fetched again, so that a withdrawn key becomes invalid."""
UNKNOWN_KEY_INTERVAL = 10.0
"""Minimal seconds between two fetches, whatever unknown keys the tokens name and whether the last fetch failed."""

BEGIN_SESSION = """
    insert into sessions (id, account_id, session_version, began_at, expires_at)
    values (%(id)s, %(account_id)s, %(session_version)s, %(at)s, %(expires_at)s)
        on conflict (id) do nothing
"""
ENABLED = """
    select id, session_version
      from accounts
     where tenant = %(tenant)s and login = %(login)s and disabled_at is null
"""


class IdTokenClaims(NamedTuple):
    """The account that a provider's token names, and the session that the token starts."""

    tenant: str
    login: str
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The required issuer and audience, and the claims that name the tenant and the login."""

    issuer: str
    audience: str
    tenant_claim: str = "tenant"
    login_claim: str = "sub"


class JwksCache:
    """The provider's keys by `kid`. While it is unavailable the last fetched keys stay valid."""

    def __init__(self, fetch: Callable[[], bytes], now: Callable[[], float] = monotonic) -> None:
        """`fetch` returns a JWKS document; it raises OSError or ValueError if there is none."""
        self._fetch, self._now = fetch, now
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._fetching = Lock()

    def get(self, kid: str) -> PyJWK | None:
        if self._now() - self._fetched_at > KEYS_TTL:
            # One request fetches; the others do not wait while they have a key.
            self._refresh(KEYS_TTL, wait=kid not in self._keys)
        if kid not in self._keys:
            self._refresh(UNKNOWN_KEY_INTERVAL, wait=True)
        return self._keys.get(kid)

    def _refresh(self, min_age: float, *, wait: bool) -> None:
        if not self._fetching.acquire(blocking=wait):
            return
        try:
            if self._now() - self._fetched_at > min_age:
                self._fetched_at = self._now()
                self._keys = _usable(self._fetch())
        except (OSError, ValueError, RecursionError) as error:
            logger.warning("cannot fetch the keys of the identity provider", extra={"error": repr(error)})
        finally:
            self._fetching.release()


class Provider:
    """Verifies the tokens of an identity provider."""

    def __init__(self, settings: OidcSettings, keys: JwksCache) -> None:
        self._settings, self._keys = settings, keys

    def read(self, token: str) -> IdTokenClaims:
        """Raises BadToken."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadToken
        try:
            claims = self._verified(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken from error
        tenant, login = claims.get(self._settings.tenant_claim), claims.get(self._settings.login_claim)
        if not (isinstance(tenant, str) and isinstance(login, str)):
            raise BadToken
        signed_part, _, _ = token.rpartition(".")
        session_id = UUID(bytes=sha256(signed_part.encode()).digest()[:16])
        return IdTokenClaims(tenant, login, session_id, datetime.fromtimestamp(claims["exp"], UTC))

    def _verified(self, token: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=self._settings.audience,
            issuer=self._settings.issuer,
            options={"require": CLAIMS, "enforce_minimum_key_length": True},
        )


def account_of(conn: Connection[Any], claims: IdTokenClaims, at: datetime) -> Account | None:
    """The account that the token names; None if there is none, it is disabled, or the session was ended."""
    row = conn.execute(ENABLED, {"tenant": claims.tenant, "login": claims.login}).fetchone()
    if row is None:
        return None
    account_id, session_version = row
    session = {"id": claims.session_id, "account_id": account_id, "session_version": session_version}
    account = repository.account_of(conn, account_id, claims.session_id, at)
    if account is None and conn.execute(BEGIN_SESSION, {**session, "at": at, "expires_at": claims.expires_at}).rowcount:
        repository.forget_sessions(conn, account_id, at)
        account = repository.account_of(conn, account_id, claims.session_id, at)
    return account


def _usable(document: bytes) -> dict[str, PyJWK]:
    """The keys that may verify tokens. Raises ValueError if there is none."""
    parsed = json.loads(document)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("The document is not a set of keys.")
    keys = {jwk["kid"]: key for jwk in listed if (key := _key(jwk))}
    if not keys:
        raise ValueError("The document has no usable key.")
    return keys


def _key(jwk: Any) -> PyJWK | None:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return None
    algorithm = ALGORITHMS.get((str(jwk.get("kty")), jwk.get("crv") and str(jwk["crv"])))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        return PyJWK(jwk, algorithm)
    except jwt.PyJWTError:
        return None
