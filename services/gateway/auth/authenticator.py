"""Who asks, may they, and how often: the first three questions of every door."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import eventlet
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request

from services.gateway.auth import csrf_cookies, oidc
from services.gateway.auth.jwks_http import fetch
from services.gateway.auth.login_throttle import A_MINUTE, LoginThrottle
from services.gateway.auth.oidc import Introduction, Keys, Provider, Terms
from services.gateway.auth.rate_limits import Leases, Limiter, Own, Shared
from services.gateway.auth.tokens import BadToken, Claims, Tokens, UnknownKey
from services.gateway.auth.ttl_cache import TTLCache
from services.gateway.directory import repository
from services.gateway.domain import signatures
from services.gateway.domain.keys import ApiKey
from services.gateway.domain.limits import Limit
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import Caller, may
from shared.http.client_address import Proxies
from shared.http.concurrency_limit import AtOnce
from shared.http.entrypoint import Problem, bytes_of
from shared.http.problems import too_many
from shared.plumbing import clock
from shared.plumbing.database import Postgres

logger = logging.getLogger(__name__)

SIGNATURE = signatures.SCHEME.lower()
REMEMBERED = 1.0
KEY_USE_NOTED = timedelta(minutes=1)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="call-journal"'}
EXPORTS = frozenset({"export_journal", "export_contacts"})
"""Doors that give much at once; how often is limited for all of them together."""
SIGNED = frozenset({"take_reports"})
"""Doors where a signature stands for the key."""
BY_PASSWORD = frozenset({"take_freeswitch_record"})
"""Doors of machines that can send no header of their own: their password is the key."""


class Session(NamedTuple):
    """Whose session it is, and what was shown for it."""

    account: Account
    shown: Claims | Introduction

    @property
    def id(self) -> UUID:
        return self.shown.session_id


def unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", "Not signed in", detail, headers=CHALLENGE)


class Authenticator:
    """Raises Problem 401 for whom it does not know, 403 for whom it does not let in, 429 for who comes too often."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.tokens = Tokens.from_files(config["TOKEN_KEY_FILE"], config["TOKEN_RETIRED_KEYS"])
        self._provider = provider(config)
        self._proxies = Proxies(config["TRUSTED_PROXIES"])
        limiter = Limiter(Shared.at(config["REDIS_URL"]), Own())
        self.guesses = LoginThrottle(limiter, self._proxies, config)
        requests = Limit(burst=int(config["REQUESTS_BURST"]), rate=float(config["REQUESTS_PER_SECOND"]))
        exports = Limit(burst=int(config["EXPORTS_PER_MINUTE"]), window=A_MINUTE)
        self._requests = Leases(limiter, requests, eventlet.spawn_n)
        self._exports = Leases(limiter, exports, eventlet.spawn_n)
        self.exports = AtOnce(int(config["EXPORTS_AT_ONCE"]), "exports")
        self._sessions: TTLCache[Claims | Introduction, Account] = TTLCache(REMEMBERED)
        self._keys: TTLCache[bytes, ApiKey] = TTLCache(REMEMBERED)
        self._digests: TTLCache[UUID, bytes] = TTLCache(REMEMBERED)

    def caller(self, db: Postgres, request: Request, door: str) -> Caller:
        """Who comes through this door, by a session or a key."""
        caller: Caller | None = None
        try:
            caller = self._shown(db, request, door)
            self._count(self._requests, f"requests:{caller.id}", "Too many requests.")
            if not may(caller, door):
                raise Problem(403, "forbidden", "Not allowed", "Your role may not do this.")
            if door in EXPORTS:
                self._count(self._exports, f"exports:{caller.id}", "Too many exports.")
        except Problem as refusal:
            self.note(refusal, request, door, caller)
            raise
        return caller

    def session(self, db: Postgres, request: Request) -> Session:
        """The session of a caller who has one."""
        header = request.headers.get("Authorization")
        token = csrf_cookies.token_of(request) if header is None else None
        if token is None:
            return self._session(db, _bearer(header))
        session = self._session(db, token)
        csrf_cookies.refuse_forged(request, token)
        return session

    def forget(self, session: Session) -> None:
        """The session was ended here: nobody comes in on it any more."""
        self._sessions.forget(session.shown)

    def note(self, refusal: Problem, request: Request, door: str, caller: Caller | None) -> None:
        """Who was not let in where; what they showed is nobody's business."""
        if refusal.status in (401, 403):
            who, address = caller and str(caller.id), self._proxies.client(request)
            about = {"door": door, "status": refusal.status, "who": who, "address": address}
            logger.warning("denied", extra={**about, "why": refusal.body["detail"]})

    def _shown(self, db: Postgres, request: Request, door: str) -> Caller:
        key = request.headers.get("X-Api-Key")
        if key is None and door in SIGNED and _scheme(request) == SIGNATURE:
            return self._key(db, self._signed(db, request))
        if key is None and door in BY_PASSWORD and _scheme(request) == "basic":
            return self._key(db, repository.digest_of(_password(request)))
        if key is None:
            return self.session(db, request).account
        if "Authorization" in request.headers:
            raise unauthorised("Show a token or a key, not both.")
        return self._key(db, repository.digest_of(key))

    def _session(self, db: Postgres, token: str) -> Session:
        shown = self._read(token)
        account = self._sessions.get(shown, partial(_account, db, shown))
        if account is None:
            raise unauthorised("The session has ended.")
        return Session(account, shown)

    def _read(self, token: str) -> Claims | Introduction:
        try:
            try:
                return self.tokens.read(token)
            except UnknownKey:
                if self._provider is None:
                    raise
                return self._provider.read(token)
        except BadToken as error:
            raise unauthorised("The token is not valid.") from error

    def _signed(self, db: Postgres, request: Request) -> bytes:
        """The digest of the key under which the request is signed."""
        signature = signatures.read(request.headers["Authorization"])
        if signature is None:
            raise unauthorised("Sign so: Authorization: Signature key=<id>, at=<Unix seconds>, hmac=<hexadecimal>.")
        if not signature.is_fresh(clock.now()):
            raise unauthorised("The signature is too old, or the clock of who signed is wrong.")
        digest = self._digests.get(signature.key_id, partial(_digest, db, signature.key_id))
        if digest and signature.matches(digest, request.method, request.path, bytes_of(request)):
            return digest
        raise unauthorised("The signature is not valid.")

    def _key(self, db: Postgres, digest: bytes) -> ApiKey:
        known = self._keys.get(digest, lambda: _api_key(db, digest))
        if known is None:
            raise unauthorised("The key is not valid.")
        return known

    def _count(self, leases: Leases, key: str, why: str) -> None:
        if wait := leases.wait(f"limit:{key}"):
            raise too_many(wait, why)


def provider(config: Mapping[str, Any], fetch: Callable[[str], bytes] = fetch) -> Provider | None:
    """The outside identity provider, if one is configured."""
    url = config["IDENTITY_JWKS_URL"]
    if not url:
        return None
    terms = Terms(
        issuer=_needed(config, "IDENTITY_ISSUER"),
        audience=_needed(config, "IDENTITY_AUDIENCE"),
        tenant_claim=config["IDENTITY_TENANT_CLAIM"],
        login_claim=config["IDENTITY_LOGIN_CLAIM"],
    )
    return Provider(terms, Keys(partial(fetch, url)))


def _needed(config: Mapping[str, Any], name: str) -> str:
    if not config[name]:
        raise ValueError(f"IDENTITY_JWKS_URL needs {name}.")
    return str(config[name])


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorised("Sign in and send the token: Authorization: Bearer ….")
    return token.strip()


def _scheme(request: Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _password(request: Request) -> str:
    shown = request.authorization
    return (shown.password or "") if shown else ""


def _account(db: Postgres, shown: Claims | Introduction) -> Account | None:
    with db.autocommit() as conn:
        if isinstance(shown, Introduction):
            return oidc.account_of(conn, shown, clock.now())
        return repository.account_of(conn, shown.account_id, shown.session_id, clock.now())


def _digest(db: Postgres, key_id: UUID) -> bytes | None:
    with db.autocommit() as conn:
        return repository.digest_by_id(conn, key_id)


def _api_key(db: Postgres, digest: bytes) -> ApiKey | None:
    with db.connection() as conn:
        key, at = repository.api_key(conn, digest), clock.now()
        if key:
            repository.use_api_key(conn, key.id, at, unless_since=at - KEY_USE_NOTED)
    return key


class Credentials(DependencyProvider):
    def setup(self) -> None:
        self.gatekeeper = Authenticator(self.container.config)

    def get_dependency(self, worker_ctx: object) -> Authenticator:
        return self.gatekeeper
