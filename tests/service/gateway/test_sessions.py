"""Signing in and out over HTTP, and what a session is worth."""

import time
from datetime import UTC, datetime, timedelta
from statistics import fmean

import argon2
import pytest

from services.gateway.directory import passwords, repository
from shared.plumbing.database import Postgres
from tests.service.gateway.factories import PASSWORD, Company, Gateway, found
from tests.sizes import sized
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem


def test_the_right_password_gives_a_token_for_twelve_hours(gateway: Gateway, company: Company):
    answer = gateway.sign_in("operator")
    session = answer.json()
    assert answer.status_code == 201
    assert session["account"] == {
        "id": str(company.people["operator"]),
        "tenant": "oselia",
        "login": "operator",
        "name": "Operator",
        "role": "operator",
    }
    lives = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < lives <= timedelta(hours=12)
    assert gateway("GET", "/api/v1/me", token=session["token"]).status_code == 200


def test_a_token_is_not_to_be_kept_by_anyone_between(gateway: Gateway, company: Company):
    assert gateway.sign_in("operator").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("login", "password"), [("operator", "wrong"), ("nobody", PASSWORD), ("Operator", PASSWORD)])
def test_a_wrong_login_and_a_wrong_password_are_refused_alike(gateway: Gateway, company: Company, login, password):
    answer = gateway.sign_in(login, password)
    problem = check_problem(answer, 401, "wrong_login_or_password")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert problem | {"request_id": ""} == {
        "type": "/problems/unauthorised",
        "title": "Not signed in",
        "status": 401,
        "detail": "The login or the password is wrong.",
        "code": "wrong_login_or_password",
        "params": {},
        "request_id": "",
    }


@sized("R57")
def test_a_failed_sign_in_takes_as_long_for_a_login_that_is_not_there(gateway: Gateway, company: Company, size):
    taken: dict[str, list[float]] = {"operator": [], "nobody": []}
    for login in ["operator", "nobody"] * size.tries:
        began = time.perf_counter()
        gateway.sign_in(login, "wrong")
        taken[login].append(time.perf_counter() - began)
    known, unknown = (fmean(sorted(times)[: (size.tries + 1) // 2]) for times in taken.values())
    assert abs(known - unknown) < size.apart * known


def test_an_account_that_is_disabled_cannot_sign_in(gateway: Gateway, company: Company, gateway_db: Postgres):
    with gateway_db.connection() as conn:
        conn.execute("update accounts set disabled_at = now() where login = 'operator'")
    assert gateway.sign_in("operator").status_code == 401


def test_a_password_kept_by_older_parameters_is_hashed_again_when_it_is_shown(
    gateway: Gateway, company: Company, gateway_db: Postgres
):
    def stored() -> str:
        with gateway_db.autocommit() as conn:
            [[kept]] = conn.execute("select password_hash from accounts where login = 'operator'")
        return str(kept)

    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with gateway_db.connection() as conn:
        conn.execute("update accounts set password_hash = %s where login = 'operator'", (weaker,))
    assert (gateway.sign_in("operator", "wrong").status_code, stored()) == (401, weaker)
    token = gateway.token("operator")
    assert passwords.is_right(PASSWORD, stored())
    assert not passwords.is_outdated(stored())
    kept = stored()
    assert gateway.sign_in("operator").status_code == 201
    assert stored() == kept
    assert gateway("GET", "/api/v1/me", token=token).status_code == 200


def test_a_login_of_two_companies_needs_the_company(gateway: Gateway, company: Company, gateway_db: Postgres):
    found(gateway_db, "krynytsia")
    answer = gateway.sign_in("operator")
    check_problem(answer, 422, "invalid", "tenant")
    assert gateway.sign_in("operator", tenant="krynytsia").json()["account"]["tenant"] == "krynytsia"


def test_a_login_is_not_found_in_another_company(gateway: Gateway, company: Company, other_company: Company):
    assert gateway.sign_in("operator", tenant="krynytsia").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "x"}, "login"),
        ({"login": "operator"}, "password"),
        ({"login": "", "password": "x"}, "login"),
        ({"login": "operator", "password": "x" * 1025}, "password"),
        ({"login": 1, "password": "x"}, "login"),
        ({"login": "a\0b", "password": "x"}, "login"),
        ({"login": "\ud800", "password": "x"}, "login"),
        ({"login": "operator", "password": "x", "role": "administrator"}, "role"),
        ([], ""),
    ],
)
def test_what_is_not_a_sign_in_is_refused_by_field(gateway: Gateway, body, field):
    answer = gateway("POST", "/api/v1/sessions", json=body)
    check_problem(answer, 422, "invalid", field)


def test_a_field_whose_name_is_not_text_is_refused_too(gateway: Gateway):
    answer = gateway("POST", "/api/v1/sessions", data='{"\\ud800": 1}', headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("body", "type_", "status"), [("{", "application/json", 400), ("{}", "text/plain", 415)])
def test_what_is_not_json_is_refused(gateway: Gateway, body, type_, status):
    answer = gateway("POST", "/api/v1/sessions", data=body, headers={"Content-Type": type_})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_who_signs_out_is_out_at_once(gateway: Gateway, company: Company):
    token = gateway.token("operator")
    assert gateway("GET", "/api/v1/me", token=token).status_code == 200
    assert gateway("DELETE", "/api/v1/sessions/current", token=token).status_code == 204
    assert gateway("GET", "/api/v1/me", token=token).status_code == 401


def test_signing_out_twice_is_refused_the_second_time(gateway: Gateway, company: Company):
    token = gateway.token("operator")
    gateway("DELETE", "/api/v1/sessions/current", token=token)
    assert gateway("DELETE", "/api/v1/sessions/current", token=token).status_code == 401


def test_signing_out_ends_no_other_session(gateway: Gateway, company: Company):
    here, there = gateway.token("operator"), gateway.token("operator")
    gateway("DELETE", "/api/v1/sessions/current", token=here)
    assert gateway("GET", "/api/v1/me", token=there).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "update sessions set ended_at = now()",
        "update accounts set disabled_at = now()",
        "update accounts set session_version = session_version + 1",
        "update sessions set expires_at = now()",
    ],
)
def test_what_is_revoked_elsewhere_is_refused_here_within_two_seconds(
    gateway: Gateway, company: Company, gateway_db: Postgres, change
):
    token = gateway.token("operator")
    assert gateway("GET", "/api/v1/me", token=token).status_code == 200
    with gateway_db.connection() as conn:
        conn.execute(change)
    eventually(lambda: gateway("GET", "/api/v1/me", token=token).status_code == 401, seconds=2)


def test_a_new_password_ends_the_sessions_of_the_old_one(gateway: Gateway, company: Company, gateway_db: Postgres):
    token = gateway.token("operator")
    with gateway_db.connection() as conn:
        repository.ensure_account(conn, "oselia", "operator", "новий", "Operator", "operator")
    eventually(lambda: gateway("GET", "/api/v1/me", token=token).status_code == 401, seconds=2)
    assert gateway.sign_in("operator").status_code == 401
    assert gateway.sign_in("operator", "новий").status_code == 201


def test_me_is_the_account_with_its_lines(gateway: Gateway, company: Company):
    me = gateway("GET", "/api/v1/me", token=gateway.token("accountant")).json()
    [line] = me.pop("lines")
    assert {**line, "id": ...} == {"id": ..., "address": "120", "from": "2020-01-01T00:00:00.000000Z", "until": None}
    assert me == {
        "account": {
            "id": str(company.people["accountant"]),
            "tenant": "oselia",
            "login": "accountant",
            "name": "Accountant",
            "role": "accountant",
        },
        "role": "accountant",
        "tenant": "oselia",
        "time_zone": "Europe/Kyiv",
    }
