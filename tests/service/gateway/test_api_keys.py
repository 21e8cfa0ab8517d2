"""Keys of machines over HTTP: shown once, kept as a hash, refused everywhere once they are revoked."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.plumbing import clock
from tests.service.gateway.factories import Company, Gateway, report
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem

KEYS = "/api/v1/api-keys"
NEW = {"kind": "ingest", "name": "АТС на Хрещатику"}
Ask = Callable[..., Any]


@pytest.fixture
def ask(gateway: Gateway, company: Company) -> Ask:
    token = gateway.token("administrator")
    return lambda method, path, body=None, **how: gateway(method, path, token=token, json=body, **how)


def test_a_key_is_shown_once_and_opens_its_doors(ask, gateway, company, gateway_db):
    answer = ask("POST", KEYS, NEW)
    made = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert len(made["key"]) >= 40
    assert gateway.send(made["key"], report(company)).status_code == 202
    assert gateway("GET", "/api/v1/journal", key=made["key"]).status_code == 403
    assert made["key"] not in ask("GET", KEYS).text
    with gateway_db.autocommit() as conn:
        rows = str(conn.execute("select k::text from api_keys as k").fetchall())
    assert made["key"] not in rows


def test_an_export_key_only_reads(ask, gateway, company):
    key = ask("POST", KEYS, {"kind": "export", "name": "звіти"}).json()["key"]
    assert gateway("GET", "/api/v1/journal", key=key).status_code == 200
    assert gateway.send(key, report(company)).status_code == 403


def test_the_list_says_when_a_key_was_used_last(ask, gateway, company):
    made = ask("POST", KEYS, NEW).json()

    def listed() -> dict[str, Any]:
        return next(key for key in ask("GET", KEYS).json()["api_keys"] if key["id"] == made["id"])

    assert (listed()["kind"], listed()["name"], listed()["last_used_at"]) == ("ingest", "АТС на Хрещатику", None)
    gateway.send(made["key"], report(company))
    used = datetime.fromisoformat(listed()["last_used_at"])
    assert abs((clock.now() - used).total_seconds()) < 30


def test_a_revoked_key_is_refused_within_a_second_and_no_more_listed(ask, gateway, company):
    made = ask("POST", KEYS, NEW).json()
    assert gateway.send(made["key"], report(company)).status_code == 202
    assert ask("DELETE", f"{KEYS}/{made['id']}").status_code == 204
    eventually(lambda: gateway.send(made["key"], report(company)).status_code == 401, seconds=2)
    assert made["id"] not in ask("GET", KEYS).text
    assert ask("DELETE", f"{KEYS}/{made['id']}").status_code == 404


def test_keys_come_in_pages(ask):
    first = ask("GET", KEYS, params={"limit": 1}).json()
    rest = ask("GET", KEYS, params={"cursor": first["next_cursor"]}).json()
    assert (len(first["api_keys"]), len(rest["api_keys"]), rest["next_cursor"]) == (1, 1, None)


def test_a_key_of_another_company_is_not_there(ask, gateway, company, other_company):
    made = ask("POST", KEYS, NEW).json()
    token = gateway.token("other-administrator")
    assert made["id"] not in gateway("GET", KEYS, token=token).text
    assert gateway("DELETE", f"{KEYS}/{made['id']}", token=token).status_code == 404
    assert gateway.send(made["key"], report(company)).status_code == 202
    assert ask("DELETE", f"{KEYS}/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "master", "name": "x"}, "kind"),
        ({"name": "x"}, "kind"),
        ({"kind": "ingest"}, "name"),
        ({"kind": "ingest", "name": " "}, "name"),
        ({**NEW, "key": "my own"}, "key"),
    ],
)
def test_what_is_wrong_is_named(ask, body, field):
    answer = ask("POST", KEYS, body)
    check_problem(answer, 422, "invalid", field)


@pytest.mark.parametrize("role", ["supervisor", "operator", "accountant"])
def test_only_an_administrator_keeps_keys(gateway, company, role):
    token = gateway.token(role)
    for method, path in [("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/{uuid4()}")]:
        assert gateway(method, path, token=token, json=NEW).status_code == 403
        assert gateway(method, path, key=company.keys["export"], json=NEW).status_code == 403
