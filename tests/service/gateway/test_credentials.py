"""Every door, every caller: first who you are (401), then what you may (403), only then what you sent."""

import time

import pytest

from services.gateway.directory import repository
from shared.plumbing.database import Postgres
from tests.service.gateway.factories import ROLES, Company, Gateway, report
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem

FOR_PEOPLE = [("GET", "/api/v1/me"), ("DELETE", "/api/v1/sessions/current")]
FOR_EXCHANGES = [("POST", "/api/v1/reports"), ("POST", "/api/v1/reports/freeswitch")]
DOORS = FOR_PEOPLE + FOR_EXCHANGES


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Basic b3BlcmF0b3I6eA=="},
        {"Authorization": "Bearer " + "x" * 4000},
        {"X-Api-Key": ""},
        {"X-Api-Key": "not a key"},
        {"X-Api-Key": "ключ".encode()},
    ],
)
def test_without_credentials_every_door_is_shut(gateway: Gateway, method, path, headers):
    answer = gateway(method, path, headers=dict(headers), data="{")
    check_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="call-journal"'


@pytest.mark.parametrize(("method", "path"), FOR_PEOPLE)
@pytest.mark.parametrize("kind", ["ingest", "export"])
def test_a_machine_is_not_a_person(gateway: Gateway, company: Company, method, path, kind):
    assert gateway(method, path, key=company.keys[kind]).status_code == 403


@pytest.mark.parametrize("role", list(ROLES))
def test_a_person_is_not_an_exchange(gateway: Gateway, company: Company, role):
    assert gateway("POST", "/api/v1/reports", token=gateway.token(role), data="{").status_code == 403


def test_an_export_key_sends_nothing(gateway: Gateway, company: Company):
    assert gateway.send(company.keys["export"], report(company)).status_code == 403


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_two_credentials_are_one_too_many(gateway: Gateway, company: Company, method, path):
    answer = gateway(method, path, token=gateway.token("operator"), key=company.keys["ingest"])
    assert answer.status_code == 401


def test_a_revoked_key_is_refused_within_two_seconds(gateway: Gateway, company: Company, gateway_db: Postgres):
    key = company.keys["ingest"]
    assert gateway.send(key, report(company)).status_code == 202
    with gateway_db.connection() as conn:
        repository.ensure_api_key(conn, company.tenant, "ingest", "test", "another key")
    eventually(lambda: gateway.send(key, report(company)).status_code == 401, seconds=2)
    assert gateway.send("another key", report(company)).status_code == 202


def test_the_last_use_of_a_key_is_noted_once_a_minute(gateway: Gateway, company: Company, gateway_db: Postgres):
    def last_used() -> object:
        with gateway_db.connection() as conn:
            [(at,)] = conn.execute("select last_used_at from api_keys where kind = 'ingest'")
        return at

    assert last_used() is None
    gateway.send(company.keys["ingest"], report(company))
    noted = last_used()
    time.sleep(1.1)
    gateway.send(company.keys["ingest"], report(company))
    assert last_used() == noted is not None


def test_a_session_in_use_costs_one_look_a_second(gateway: Gateway, company: Company, gateway_db: Postgres):
    token = gateway.token("operator")
    gateway("GET", "/api/v1/me", token=token)
    with gateway_db.connection() as conn:
        conn.execute("lock table sessions in access exclusive mode")
        began = time.perf_counter()
        assert gateway("GET", "/api/v1/me", token=token).status_code == 200
    assert time.perf_counter() - began < 5
