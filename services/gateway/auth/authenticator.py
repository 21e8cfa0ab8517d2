"""The caller of a request: who it is, whether the endpoint is open to them, and how often they may call."""

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
from services.gateway.auth.login_throttle import MINUTE, LoginThrottle
from services.gateway.auth.lookup_cache import LookupCache
from services.gateway.auth.oidc import IdTokenClaims, JwksCache, OidcSettings, Provider
from services.gateway.auth.rate_limits import Leases, Limiter, LocalBuckets, RedisBuckets
from services.gateway.auth.tokens import BadToken, Claims, Tokens, UnknownKey
from services.gateway.directory import repository
from services.gateway.domain import signatures
from services.gateway.domain.keys import ApiKey
from services.gateway.domain.limits import Limit
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import AccessRules, Caller, KeyCredential, RateLimit
from shared.http.client_address import Proxies
from shared.http.concurrency_limit import AtOnce
from shared.http.entrypoint import Problem, bytes_of
from shared.http.problems import too_many
from shared.plumbing import clock
from shared.plumbing.database import Postgres

logger = logging.getLogger(__name__)

SIGNATURE = signatures.SCHEME.lower()
CACHE_TIME = 1.0
"""Seconds after which an ended session, a changed account or a revoked key is refused by every process."""
KEY_USE_INTERVAL = timedelta(minutes=1)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="call-journal"'}


class Session(NamedTuple):
    """The claims of a token and the account that they are of."""

    account: Account
    claims: Claims | IdTokenClaims

    @property
    def id(self) -> UUID:
        return self.claims.session_id


class Identity(NamedTuple):
    """The caller, and the session by which they came; None for an API key."""

    caller: Caller
    session: Session | None

    @property
    def credential_id(self) -> UUID:
        return self.session.id if self.session else self.caller.id


def unauthorised(code: str) -> Problem:
    return Problem(code, headers=CHALLENGE)


class Authenticator:
    """Raises Problem 401 for an unknown caller, 403 for one who is not allowed, 429 for too many requests."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.tokens = Tokens.from_files(config["TOKEN_KEY_FILE"], config["TOKEN_RETIRED_KEYS"])
        self._provider = provider(config)
        self._proxies = Proxies(config["TRUSTED_PROXIES"])
        limiter = Limiter(RedisBuckets.at(config["REDIS_URL"]), LocalBuckets())
        self.login_throttle = LoginThrottle(limiter, self._proxies, config)
        requests = Limit(burst=int(config["REQUESTS_BURST"]), rate=float(config["REQUESTS_PER_SECOND"]))
        exports = Limit(burst=int(config["EXPORTS_PER_MINUTE"]), window=MINUTE)
        self._requests = Leases(limiter, requests, eventlet.spawn_n)
        self._limits = {RateLimit.EXPORTS: Leases(limiter, exports, eventlet.spawn_n)}
        self.concurrency = {RateLimit.EXPORTS: AtOnce(int(config["EXPORTS_AT_ONCE"]), "too_many_concurrent_exports")}
        self._sessions: LookupCache[Claims | IdTokenClaims, Account] = LookupCache(CACHE_TIME)
        self._keys: LookupCache[bytes, ApiKey] = LookupCache(CACHE_TIME)
        self._digests: LookupCache[UUID, bytes] = LookupCache(CACHE_TIME)

    def authenticate(self, db: Postgres, request: Request, endpoint: str, access: AccessRules) -> Identity:
        """Identify the caller by a session or an API key, and apply the access rules of the endpoint."""
        caller: Caller | None = None
        try:
            identity = self._identify(db, request, access)
            caller = identity.caller
            _count(self._requests, f"requests:{caller.id}", "too_many_requests")
            _authorise(caller, access, request)
            if access.limit:
                _count(self._limits[access.limit], f"{access.limit}:{caller.id}", f"too_many_{access.limit}")
        except Problem as refusal:
            self.log_denied(refusal, request, endpoint, caller)
            raise
        return identity

    def end_session(self, session: Session) -> None:
        """Drop an ended session from this process's cache; the other processes look it up within a second."""
        self._sessions.forget(session.claims)

    def log_denied(self, refusal: Problem, request: Request, endpoint: str, caller: Caller | None) -> None:
        """Log who was denied what, without their credentials."""
        if refusal.status in (401, 403):
            who, address = caller and str(caller.id), self._proxies.client(request)
            fields = {"endpoint": endpoint, "status": refusal.status, "who": who, "address": address}
            logger.warning("denied", extra={**fields, "code": refusal.code})

    def _identify(self, db: Postgres, request: Request, access: AccessRules) -> Identity:
        key = request.headers.get("X-Api-Key")
        if key is not None and "Authorization" in request.headers:
            raise unauthorised("token_and_key")
        if key is not None:
            return Identity(self._key(db, repository.digest_of(key)), None)
        scheme = _scheme(request)
        if scheme == SIGNATURE and KeyCredential.SIGNATURE in access.key_credentials:
            return Identity(self._key(db, self._signing_key(db, request)), None)
        if scheme == "basic" and KeyCredential.PASSWORD in access.key_credentials:
            return Identity(self._key(db, repository.digest_of(_password(request))), None)
        session = self._session_of(db, request, access)
        return Identity(session.account, session)

    def _session_of(self, db: Postgres, request: Request, access: AccessRules) -> Session:
        header = request.headers.get("Authorization")
        token = csrf_cookies.token_of(request) if header is None else None
        if token is None:
            return self._session(db, _bearer(header))
        session = self._session(db, token)
        if access.csrf:
            csrf_cookies.verify_csrf(request, token)
        return session

    def _session(self, db: Postgres, token: str) -> Session:
        claims = self._claims(token)
        account = self._sessions.get(claims, partial(_account, db, claims))
        if account is None:
            raise unauthorised("session_ended")
        return Session(account, claims)

    def _claims(self, token: str) -> Claims | IdTokenClaims:
        try:
            try:
                return self.tokens.read(token)
            except UnknownKey:
                if self._provider is None:
                    raise
                return self._provider.read(token)
        except BadToken as error:
            raise unauthorised("token_invalid") from error

    def _signing_key(self, db: Postgres, request: Request) -> bytes:
        """The digest of the API key that signed the request."""
        signature = signatures.read(request.headers["Authorization"])
        if signature is None:
            raise unauthorised("signature_malformed")
        if not signature.is_fresh(clock.now()):
            raise unauthorised("signature_expired")
        digest = self._digests.get(signature.key_id, partial(_digest, db, signature.key_id))
        if digest and signature.matches(digest, request.method, request.path, bytes_of(request)):
            return digest
        raise unauthorised("signature_invalid")

    def _key(self, db: Postgres, digest: bytes) -> ApiKey:
        key = self._keys.get(digest, lambda: _api_key(db, digest))
        if key is None:
            raise unauthorised("api_key_invalid")
        return key


def _authorise(caller: Caller, access: AccessRules, request: Request) -> None:
    if not access.allows(caller):
        raise Problem("role_not_allowed")
    if forbidden := access.forbidden_parameters(caller, request.args):
        raise Problem("parameter_not_allowed", params={"parameter": forbidden[0]})


def _count(leases: Leases, key: str, code: str) -> None:
    if wait := leases.wait(f"limit:{key}"):
        raise too_many(code, wait)


def provider(config: Mapping[str, Any], fetch: Callable[[str], bytes] = fetch) -> Provider | None:
    """The external identity provider, or None if none is configured."""
    url = config["IDENTITY_JWKS_URL"]
    if not url:
        return None
    settings = OidcSettings(
        issuer=_required(config, "IDENTITY_ISSUER"),
        audience=_required(config, "IDENTITY_AUDIENCE"),
        tenant_claim=config["IDENTITY_TENANT_CLAIM"],
        login_claim=config["IDENTITY_LOGIN_CLAIM"],
    )
    return Provider(settings, JwksCache(partial(fetch, url)))


def _required(config: Mapping[str, Any], name: str) -> str:
    if not config[name]:
        raise ValueError(f"IDENTITY_JWKS_URL needs {name}.")
    return str(config[name])


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorised("credentials_missing")
    return token.strip()


def _scheme(request: Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _password(request: Request) -> str:
    credentials = request.authorization
    return (credentials.password or "") if credentials else ""


def _account(db: Postgres, claims: Claims | IdTokenClaims) -> Account | None:
    with db.autocommit() as conn:
        if isinstance(claims, IdTokenClaims):
            return oidc.account_of(conn, claims, clock.now())
        return repository.account_of(conn, claims.account_id, claims.session_id, clock.now())


def _digest(db: Postgres, key_id: UUID) -> bytes | None:
    with db.autocommit() as conn:
        return repository.digest_by_id(conn, key_id)


def _api_key(db: Postgres, digest: bytes) -> ApiKey | None:
    with db.connection() as conn:
        key, at = repository.api_key(conn, digest), clock.now()
        if key:
            repository.use_api_key(conn, key.id, at, unless_since=at - KEY_USE_INTERVAL)
    return key


class Credentials(DependencyProvider):
    """Gives a worker the `Authenticator` of this process."""

    def setup(self) -> None:
        self.authenticator = Authenticator(self.container.config)

    def get_dependency(self, worker_ctx: object) -> Authenticator:
        return self.authenticator
