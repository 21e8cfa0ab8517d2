"""Signing in and out, and who am I."""

from datetime import timedelta

from werkzeug.wrappers import Request, Response

from services.gateway.auth import csrf_cookies, password_workers
from services.gateway.auth.authenticator import unauthorised
from services.gateway.auth.tokens import Claims
from services.gateway.directory import passwords, repository
from services.gateway.directory.repository import Credentials
from services.gateway.domain.people import Account
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http import schemas
from shared.contracts.wire import Json
from shared.http.entrypoint import answer
from shared.plumbing import clock


class SessionEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/sessions",
        body=schemas.SignInSchema(),
        answers={201: schemas.SessionSchema(), 401: PROBLEM},
    )
    def begin_session(self, context: RequestContext) -> Response:
        """Sign in. Without a tenant the login must be unique in the system."""
        shown = self._credentials(context.request, **context.body())
        if shown is None:
            raise unauthorised("The login or the password is wrong.")
        begun = self._begin(shown)
        response = answer(schemas.SessionSchema().dump(begun), 201)
        csrf_cookies.give(context.request, response, begun["token"], begun["expires_at"] - clock.now())
        return response

    @endpoint("DELETE", "/api/v1/sessions/current", answers={204: ""})
    def end_session(self, context: RequestContext) -> Response:
        """Sign out: the token is refused from now on, on every replica."""
        context.query()
        session = self.credentials.session(self.db, context.request)
        with self.db.connection() as conn:
            repository.end_session(conn, session.id, clock.now())
        self.credentials.forget(session)
        response = answer(None, 204)
        csrf_cookies.take_back(context.request, response)
        return response

    @endpoint("GET", "/api/v1/me", answers={200: schemas.MeSchema()})
    def show_me(self, context: RequestContext) -> Response:
        """Who am I, and which lines do I hold."""
        context.query()
        return answer(schemas.MeSchema().dump(_me(context.account)))

    def _credentials(self, request: Request, tenant: str | None, login: str, password: str) -> Credentials | None:
        """The account's credentials if the password is right; it takes as long for an account that is not there."""
        with self.db.connection() as conn:
            found = repository.credentials(conn, tenant, login)
        if not self.credentials.guesses.is_right(request, login, password, found and found.password_hash):
            return None
        if found and passwords.is_outdated(found.password_hash):
            new = password_workers.hash_of(password)
            with self.db.connection() as conn:
                repository.replace_hash(conn, found.account_id, found.password_hash, new)
        return found

    def _begin(self, shown: Credentials) -> Json:
        at = clock.now()
        expires_at = at.replace(microsecond=0) + timedelta(hours=float(self.config["SESSION_HOURS"]))
        with self.db.connection() as conn:
            session_id = repository.begin_session(conn, shown, at, expires_at)
            account = repository.account_of(conn, shown.account_id, session_id, at)
        if account is None:
            raise unauthorised("The account has been changed; sign in again.")
        token = self.credentials.tokens.issue(Claims(account.id, session_id), at, expires_at)
        return {"token": token, "expires_at": expires_at, "account": account}


def _me(account: Account) -> Json:
    return {
        "account": account,
        "role": account.role,
        "lines": account.lines,
        "tenant": account.tenant,
        "time_zone": account.time_zone,
    }
