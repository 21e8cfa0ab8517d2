"""Signing in and out, and who am I."""

from datetime import timedelta

from werkzeug.wrappers import Request, Response

from services.gateway import directory, passwords, schemas
from services.gateway.directory import Credentials
from services.gateway.domain.people import Account
from services.gateway.doors import hashing
from services.gateway.doors.credentials import unauthorised
from services.gateway.doors.door import Door
from services.gateway.tokens import Claims
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.web.http import answer, body_of, http

PRIVATE = {"Cache-Control": "no-store"}


class SessionDoors(Door):
    @http("POST", "/api/v1/sessions")
    def begin_session(self, request: Request) -> Response:
        schemas.refuse_query(request.args.lists())
        asked = schemas.load(schemas.SignInSchema(), body_of(request))
        shown = self._credentials(**asked)
        if shown is None:
            raise unauthorised("The login or the password is wrong.")
        return answer(self._begin(shown), 201, PRIVATE)

    @http("DELETE", "/api/v1/sessions/current")
    def end_session(self, request: Request) -> Response:
        session = self.credentials.session(self.db, request, "end_session")
        schemas.refuse_query(request.args.lists())
        with self.db.connection() as conn:
            directory.end_session(conn, session.id, clock.now())
        self.credentials.forget(session)
        return answer(None, 204)

    @http("GET", "/api/v1/me")
    def show_me(self, request: Request) -> Response:
        account = self.credentials.session(self.db, request, "show_me").account
        schemas.refuse_query(request.args.lists())
        return answer(schemas.MeSchema().dump(_me(account)), headers=PRIVATE)

    def _credentials(self, tenant: str | None, login: str, password: str) -> Credentials | None:
        """The account's credentials if the password is right; it takes as long for an account that is not there."""
        with self.db.connection() as conn:
            found = directory.credentials(conn, tenant, login)
        if not hashing.is_right(password, found and found.password_hash):
            return None
        if found and passwords.is_outdated(found.password_hash):
            new = hashing.hash_of(password)
            with self.db.connection() as conn:
                directory.replace_hash(conn, found.account_id, found.password_hash, new)
        return found

    def _begin(self, shown: Credentials) -> Json:
        at = clock.now()
        expires_at = at.replace(microsecond=0) + timedelta(hours=float(self.config["SESSION_HOURS"]))
        with self.db.connection() as conn:
            session_id = directory.begin_session(conn, shown, at, expires_at)
            account = directory.account_of(conn, shown.account_id, session_id, at)
        if account is None:
            raise unauthorised("The account has been changed; sign in again.")
        token = self.credentials.tokens.issue(Claims(account.id, session_id), at, expires_at)
        answered: Json = schemas.SessionSchema().dump({"token": token, "expires_at": expires_at, "account": account})
        return answered


def _me(account: Account) -> Json:
    return {
        "account": account,
        "role": account.role,
        "lines": account.lines,
        "tenant": account.tenant,
        "time_zone": account.time_zone,
    }
