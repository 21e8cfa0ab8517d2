"""Who asks, and may they: the first two questions of every door."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request

from services.gateway import directory
from services.gateway.domain.keys import ApiKey
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import Caller, may
from services.gateway.doors.recent import Recent
from services.gateway.tokens import BadToken, Claims, Tokens
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from shared.web.http import Problem

REMEMBERED = 1.0
KEY_USE_NOTED = timedelta(minutes=1)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="call-journal"'}


class Session(NamedTuple):
    id: UUID
    account: Account


def unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", "Not signed in", detail, headers=CHALLENGE)


class Gatekeeper:
    """Raises Problem 401 for whom it does not know, 403 for whom it knows but does not let through."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._sessions: Recent[Claims, Account] = Recent(REMEMBERED)
        self._keys: Recent[bytes, ApiKey] = Recent(REMEMBERED)

    def caller(self, db: Postgres, request: Request, door: str) -> Caller:
        """Who comes through this door, by a session or a key."""
        key, bearer = request.headers.get("X-Api-Key"), request.headers.get("Authorization")
        if key is not None and bearer is not None:
            raise unauthorised("Show a token or a key, not both.")
        caller = self._key(db, key) if key is not None else self._session(db, bearer).account
        if not may(caller, door):
            raise Problem(403, "forbidden", "Not allowed", "Your role may not do this.")
        return caller

    def session(self, db: Postgres, request: Request) -> Session:
        """The session of a caller who has one."""
        return self._session(db, request.headers.get("Authorization"))

    def forget(self, session: Session) -> None:
        """The session was ended here: nobody comes in on it any more."""
        self._sessions.forget(Claims(session.account.id, session.id))

    def _session(self, db: Postgres, header: str | None) -> Session:
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorised("Sign in and send the token: Authorization: Bearer ….")
        try:
            claims = self.tokens.read(token.strip())
        except BadToken as error:
            raise unauthorised("The token is not valid.") from error
        account = self._sessions.get(claims, lambda: _account(db, claims))
        if account is None:
            raise unauthorised("The session has ended.")
        return Session(claims.session_id, account)

    def _key(self, db: Postgres, key: str) -> ApiKey:
        digest = directory.digest_of(key)
        known = self._keys.get(digest, lambda: _api_key(db, digest))
        if known is None:
            raise unauthorised("The key is not valid.")
        return known


def _account(db: Postgres, claims: Claims) -> Account | None:
    with db.reading() as conn:
        return directory.account_of(conn, claims.account_id, claims.session_id, clock.now())


def _api_key(db: Postgres, digest: bytes) -> ApiKey | None:
    with db.connection() as conn:
        key, at = directory.api_key(conn, digest), clock.now()
        if key:
            directory.use_api_key(conn, key.id, at, unless_since=at - KEY_USE_NOTED)
    return key


class Credentials(DependencyProvider):
    def setup(self) -> None:
        self.gatekeeper = Gatekeeper(Tokens.from_file(self.container.config["TOKEN_KEY_FILE"]))

    def get_dependency(self, worker_ctx: object) -> Gatekeeper:
        return self.gatekeeper
