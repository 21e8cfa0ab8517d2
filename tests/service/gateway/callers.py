"""Everybody who may stand at a door: people of every role, machines, and those who are nobody (any more)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from secrets import token_urlsafe

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.gateway.auth.tokens import Claims, Tokens
from services.gateway.directory import repository
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import Roles
from services.gateway.domain.scope import scope_of
from shared.contracts.values import Role
from shared.plumbing.database import Postgres
from tests.service.gateway.factories import PASSWORD, ROLES, Company
from tests.support.infrastructure import Stack

AN_HOUR = timedelta(hours=1)
LOCKED_OUT = "locked-out"


@dataclass(frozen=True)
class Caller:
    """`who` is the role or the kind of key that the table knows; None is nobody."""

    who: str | None
    tenant: str
    headers: dict[str, str] = field(repr=False)

    @property
    def sees_all(self) -> bool:
        if self.who not in set(Role):
            return True
        account = {"id": None, "tenant": self.tenant, "login": "", "name": "", "role": Role(self.who)}
        return scope_of(Account(**account)).lines is None


@dataclass(frozen=True)
class Callers:
    """Makes credentials without the time that signing in with a password takes."""

    stack: Stack
    db: Postgres
    company: Company
    other: Company

    @cached_property
    def all(self) -> dict[str, Callable[[], Caller]]:
        """Everybody by name; each time a fresh one, so that a door may use them up."""
        self._lock_out()
        revoked = self._revoked_key()
        people = {role: partial(self.person, self.company, role) for role in ROLES}
        return {
            **people,
            **{f"{kind} key": partial(self._machine, kind) for kind in self.company.keys},
            "other administrator": partial(self.person, self.other, "administrator"),
            "anonymous": partial(self._nobody, {}),
            "revoked key": partial(self._nobody, {"X-Api-Key": revoked}),
            "revoked token": lambda: self._nobody(bearer(self._token(self.company, "administrator", ended=True))),
            "expired token": lambda: self._nobody(bearer(self._token(self.company, "administrator", lives=-AN_HOUR))),
            "disabled account": lambda: self._nobody(bearer(self._locked_out_token())),
        }

    def allowed(self, allowed: Roles) -> Caller:
        """One of those who may."""
        makers = (maker for name, maker in self.all.items() if {name.removesuffix(" key")} & allowed)
        return next(makers)()

    def person(self, company: Company, role: str) -> Caller:
        return Caller(role, company.tenant, bearer(self._token(company, company.prefix + role)))

    def _machine(self, kind: str) -> Caller:
        return Caller(kind, self.company.tenant, {"X-Api-Key": self.company.keys[kind]})

    def _nobody(self, headers: dict[str, str]) -> Caller:
        return Caller(None, self.company.tenant, headers)

    def _token(self, company: Company, login: str, *, lives: timedelta = AN_HOUR, ended: bool = False) -> str:
        now = datetime.now(UTC)
        with self.db.connection() as conn:
            shown = repository.credentials(conn, company.tenant, login)
            session_id = repository.begin_session(conn, shown, now, now + AN_HOUR)
            if ended:
                repository.end_session(conn, session_id, now)
        return self._tokens.issue(Claims(shown.account_id, session_id), now + min(lives, -lives), now + lives)

    @cached_property
    def _tokens(self) -> Tokens:
        pem = Path(self.stack.env("gateway")["TOKEN_KEY_FILE"]).read_bytes()
        return Tokens(load_pem_private_key(pem, password=None))

    def _lock_out(self) -> None:
        with self.db.connection() as conn:
            repository.ensure_account(conn, self.company.tenant, LOCKED_OUT, PASSWORD, "Locked Out", "administrator")

    def _locked_out_token(self) -> str:
        """Of a session that was good until its account was disabled."""
        disable = "update accounts set disabled_at = %(at)s where login = %(login)s"
        with self.db.connection() as conn:
            conn.execute(disable, {"at": None, "login": LOCKED_OUT})
        token = self._token(self.company, LOCKED_OUT)
        with self.db.connection() as conn:
            conn.execute(disable, {"at": datetime.now(UTC), "login": LOCKED_OUT})
        return token

    def _revoked_key(self) -> str:
        key = token_urlsafe(18)
        with self.db.connection() as conn:
            repository.ensure_api_key(conn, self.company.tenant, "export", "revoked", key)
            repository.ensure_api_key(conn, self.company.tenant, "export", "revoked", token_urlsafe(18))
        return key


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
