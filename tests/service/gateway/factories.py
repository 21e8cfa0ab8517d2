"""A company in the gateway's directory, and a client that asks the gateway as the outside does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from secrets import token_urlsafe
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import requests

from services.gateway.directory import passwords, repository
from shared.plumbing.database import Postgres
from tests.support.proxy import Proxy

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "соловейко на вербі"
ROLES = {"administrator": "100", "supervisor": "103", "operator": "101", "accountant": "120"}
Json = dict[str, Any]


hash_once = cache(passwords.hash_of)


def program() -> requests.Session:
    """A client that keeps no cookies, as programs do."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


@dataclass
class Gateway:
    """Asks over HTTP; `token` and `key` are credentials to show."""

    url: str
    session: requests.Session = field(default_factory=program)

    def __call__(self, method: str, path: str, *, token: str = "", key: str = "", **how: Any) -> requests.Response:
        headers = how.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["X-Api-Key"] = key
        return self.session.request(method, self.url + path, headers=headers, timeout=15, **how)

    def sign_in(self, login: str, password: str = PASSWORD, **more: str) -> requests.Response:
        return self("POST", "/api/v1/sessions", json={"login": login, "password": password, **more})

    def token(self, login: str, password: str = PASSWORD) -> str:
        answer = self.sign_in(login, password)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def send(self, key: str, *reports: Json) -> requests.Response:
        return self("POST", "/api/v1/reports", key=key, json=list(reports))


@dataclass(frozen=True)
class Remote:
    """A gateway whose lines to its servers can be cut: database, broker and cache."""

    gateway: Gateway
    lines: dict[str, Proxy]


@dataclass(frozen=True)
class Company:
    """One person of every role, whose login is the role, after `prefix`; a key of every kind."""

    tenant: str
    people: dict[str, UUID]
    keys: dict[str, str]
    prefix: str = ""


def found(db: Postgres, tenant: str, prefix: str = "") -> Company:
    """A company whose logins begin with `prefix`."""
    keys = {kind: token_urlsafe(18) for kind in ("ingest", "export")}
    people = {}
    # One hash is as good as another, and there are hundreds of companies.
    with patch.object(passwords, "hash_of", hash_once), db.connection() as conn:
        repository.ensure_tenant(conn, tenant, tenant.title())
        for role, line in ROLES.items():
            people[role] = repository.ensure_account(conn, tenant, prefix + role, PASSWORD, role.title(), role)
            repository.ensure_line(conn, people[role], line, SINCE)
        for kind, key in keys.items():
            repository.ensure_api_key(conn, tenant, kind, "test", key)
    return Company(tenant, people, keys, prefix)


def at_once(*asking: Callable[[Gateway], requests.Response], of: Gateway) -> list[requests.Response]:
    """What each is answered when all ask together, each as a client of its own."""
    with ThreadPoolExecutor(len(asking)) as pool:
        return list(pool.map(lambda ask: ask(Gateway(of.url)), asking))


def report(company: Company, type_: str = "placed", /, call: str = "call", **changed: Any) -> Json:
    data = {"direction": "inbound", "caller": "+380501112233", "callee": "+380443303018"} if type_ == "placed" else {}
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    made = {"report_id": str(uuid4()), "tenant": company.tenant, "call": call, "type": type_, "at": at, "data": data}
    return {**made, **changed}
