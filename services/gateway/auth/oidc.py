"""People whom an outside identity provider knows: its tokens, checked with the keys that it publishes (JWKS).

A token of the provider begins a session like any other, whose id is made of the token: so signing out, a new
role and a disabled account end it as they end our own.
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

from services.gateway.auth.tokens import LONGEST, BadToken
from services.gateway.directory import repository
from services.gateway.domain.people import Account

logger = logging.getLogger(__name__)

ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("RSA", None): "RS256"}
"""By the type and curve of a key: what else a provider publishes is not for us."""
CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
MOST_KEYS = 100
KEYS_LIVE = 300.0
"""Seconds after which the keys are fetched again, so that one which the provider withdrew counts no longer."""
UNKNOWN_KEY_EVERY = 10.0
"""Seconds between two fetches, whatever unknown keys tokens name and however the last fetch went."""

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


class Introduction(NamedTuple):
    """Whom a provider's token speaks for, until when, and the session that it stands for."""

    tenant: str
    login: str
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a provider's token must say, and in which claims it names the company and the login."""

    issuer: str
    audience: str
    tenant_claim: str = "tenant"
    login_claim: str = "sub"


class Keys:
    """The provider's keys by `kid`. While it is away the last good ones stay."""

    def __init__(self, fetch: Callable[[], bytes], now: Callable[[], float] = monotonic) -> None:
        """`fetch` returns a JWKS document; whatever it raises as OSError or ValueError means that there is none."""
        self._fetch, self._now = fetch, now
        self._known: dict[str, PyJWK] = {}
        self._asked_at = float("-inf")
        self._asking = Lock()

    def get(self, kid: str) -> PyJWK | None:
        if self._now() - self._asked_at > KEYS_LIVE:
            # One asks; the others need not wait while there are keys to go on with.
            self._refresh(KEYS_LIVE, wait=kid not in self._known)
        if kid not in self._known:
            self._refresh(UNKNOWN_KEY_EVERY, wait=True)
        return self._known.get(kid)

    def _refresh(self, unless_within: float, *, wait: bool) -> None:
        if not self._asking.acquire(blocking=wait):
            return
        try:
            if self._now() - self._asked_at > unless_within:
                self._asked_at = self._now()
                self._known = _usable(self._fetch())
        except (OSError, ValueError, RecursionError) as error:
            logger.warning("no keys from the identity provider", extra={"error": repr(error)})
        finally:
            self._asking.release()


class Provider:
    """Reads the tokens of an identity provider."""

    def __init__(self, terms: Terms, keys: Keys) -> None:
        self._terms, self._keys = terms, keys

    def read(self, token: str) -> Introduction:
        """Raises BadToken."""
        if len(token) > LONGEST:
            raise BadToken
        try:
            claims = self._verified(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken from error
        tenant, login = claims.get(self._terms.tenant_claim), claims.get(self._terms.login_claim)
        if not (isinstance(tenant, str) and isinstance(login, str)):
            raise BadToken
        signed, _, _ = token.rpartition(".")
        session_id = UUID(bytes=sha256(signed.encode()).digest()[:16])
        return Introduction(tenant, login, session_id, datetime.fromtimestamp(claims["exp"], UTC))

    def _verified(self, token: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=self._terms.audience,
            issuer=self._terms.issuer,
            options={"require": CLAIMS, "enforce_minimum_key_length": True},
        )


def account_of(conn: Connection[Any], shown: Introduction, at: datetime) -> Account | None:
    """Who is introduced; None if the company has no such account, it may not come in, or the session was ended."""
    row = conn.execute(ENABLED, {"tenant": shown.tenant, "login": shown.login}).fetchone()
    if row is None:
        return None
    account_id, session_version = row
    session = {"id": shown.session_id, "account_id": account_id, "session_version": session_version}
    account = repository.account_of(conn, account_id, shown.session_id, at)
    if account is None and conn.execute(BEGIN_SESSION, {**session, "at": at, "expires_at": shown.expires_at}).rowcount:
        repository.forget_sessions(conn, account_id, at)
        account = repository.account_of(conn, account_id, shown.session_id, at)
    return account


def _usable(document: bytes) -> dict[str, PyJWK]:
    """The keys that may verify tokens. Raises ValueError when there is none."""
    parsed = json.loads(document)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("not a set of keys")
    found = {jwk["kid"]: key for jwk in listed if (key := _key(jwk))}
    if not found:
        raise ValueError("no key that is usable")
    return found


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
