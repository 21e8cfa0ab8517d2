"""Signing in, signing out, and the caller's own account."""

from datetime import timedelta

from werkzeug.wrappers import Request, Response

from services.gateway.auth import csrf_cookies, password_workers
from services.gateway.auth.authenticator import unauthorised
from services.gateway.auth.tokens import Claims
from services.gateway.directory import passwords, repository
from services.gateway.directory.repository import Credentials
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import ANYBODY, PEOPLE
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http import schemas
from shared.contracts.wire import Json
from shared.http.entrypoint import answer
from shared.plumbing import clock


class SessionEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/sessions",
        roles=ANYBODY,
        body=schemas.SignInSchema(),
        answers={201: schemas.SessionSchema(), 401: PROBLEM},
    )
    def begin_session(self, context: RequestContext) -> Response:
        """Sign in. Without a tenant the login must be unique in the system."""
        credentials = self._check_password(context.request, **context.body)
        if credentials is None:
            raise unauthorised("wrong_login_or_password")
        session = self._begin(credentials)
        response = answer(schemas.SessionSchema().dump(session), 201)
        csrf_cookies.set_cookies(context.request, response, session["token"], session["expires_at"] - clock.now())
        return response

    @endpoint("DELETE", "/api/v1/sessions/current", roles=PEOPLE, answers={204: ""})
    def end_session(self, context: RequestContext) -> Response:
        """Sign out. Every replica refuses the token within a second."""
        with self.db.connection() as conn:
            repository.end_session(conn, context.session.id, clock.now())
        self.credentials.end_session(context.session)
        response = answer(None, 204)
        csrf_cookies.clear_cookies(context.request, response)
        return response

    @endpoint("GET", "/api/v1/me", roles=PEOPLE, answers={200: schemas.MeSchema()})
    def show_me(self, context: RequestContext) -> Response:
        """The caller's account and lines."""
        return answer(schemas.MeSchema().dump(_me(context.account)))

    def _check_password(self, request: Request, tenant: str | None, login: str, password: str) -> Credentials | None:
        """The credentials if the password is right. It takes as long for an account that does not exist."""
        with self.db.connection() as conn:
            credentials = repository.credentials(conn, tenant, login)
        password_hash = credentials and credentials.password_hash
        if not self.credentials.login_throttle.is_right(request, login, password, password_hash):
            return None
        if credentials and passwords.is_outdated(credentials.password_hash):
            new = password_workers.hash_of(password)
            with self.db.connection() as conn:
                repository.replace_hash(conn, credentials.account_id, credentials.password_hash, new)
        return credentials

    def _begin(self, credentials: Credentials) -> Json:
        at = clock.now()
        expires_at = at.replace(microsecond=0) + timedelta(hours=float(self.config["SESSION_HOURS"]))
        with self.db.connection() as conn:
            session_id = repository.begin_session(conn, credentials, at, expires_at)
            account = repository.account_of(conn, credentials.account_id, session_id, at)
        if account is None:
            raise unauthorised("account_changed")
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
