"""The page's session: the same as a token's, in a cookie."""

import pytest
import requests

from tests.service.gateway.factories import Company, Gateway
from tests.support.problems import check_problem

pytestmark = pytest.mark.process

ME, OUT, JOURNAL = "/api/v1/me", "/api/v1/sessions/current", "/api/v1/journal"
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def page(gateway: Gateway, company: Company) -> Gateway:
    """A browser in which the operator has signed in."""
    browser = Gateway(gateway.url, requests.Session())
    assert browser.sign_in("operator").status_code == 201
    return browser


def proof(page: Gateway) -> dict[str, str]:
    return {"X-CSRF-Token": page.session.cookies["csrf"]}


def test_who_signs_in_on_the_page_is_known_by_the_cookie(page: Gateway):
    assert page("GET", ME).json()["account"]["login"] == "operator"
    assert page("GET", JOURNAL).status_code == 200


def test_cookies_are_for_this_site_and_the_session_for_no_script(gateway: Gateway, company: Company):
    answer = requests.post(
        f"{gateway.url}/api/v1/sessions",
        json={"login": "operator", "password": "соловейко на вербі"},
        headers={"X-Forwarded-Proto": "https"},
        timeout=10,
    )
    session, csrf = answer.raw.headers.getlist("Set-Cookie")
    assert session.startswith(f"session={answer.json()['token']}; ")
    assert all(word in session for word in ("; Secure;", "; HttpOnly;", "; Path=/;", "; SameSite=Strict"))
    assert "Secure" in csrf
    assert "HttpOnly" not in csrf


def test_a_write_by_cookie_needs_the_proof(page: Gateway):
    for headers in ({}, HERE, proof(page), {**HERE, "X-CSRF-Token": "x"}):
        answer = page("DELETE", OUT, headers=dict(headers))
        assert check_problem(answer, 403)["code"] in ("csrf_token_wrong", "cross_site_request")
    assert page("GET", ME).status_code == 200
    assert page("DELETE", OUT, headers={**HERE, **proof(page)}).status_code == 204


def test_the_proof_of_another_session_is_none(page: Gateway, gateway: Gateway):
    other = Gateway(gateway.url, requests.Session())
    other.sign_in("operator")
    assert page("DELETE", OUT, headers={**HERE, **proof(other)}).status_code == 403


def test_a_page_of_another_site_may_not_write(page: Gateway):
    cross = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.net", **proof(page)}
    assert page("DELETE", OUT, headers=cross).status_code == 403


def test_an_old_browser_names_its_origin(page: Gateway):
    assert page("DELETE", OUT, headers={"Origin": "https://evil.example.net", **proof(page)}).status_code == 403
    assert page("DELETE", OUT, headers={"Origin": page.url, **proof(page)}).status_code == 204


def test_signing_out_clears_the_cookies_and_ends_the_session(page: Gateway):
    token = page.session.cookies["session"]
    page("DELETE", OUT, headers={**HERE, **proof(page)})
    assert not page.session.cookies
    assert page("GET", ME).status_code == 401
    assert page("GET", ME, token=token).status_code == 401


def test_a_cookie_counts_only_without_other_credentials(page: Gateway, company: Company):
    assert page("GET", ME, headers={"Authorization": ""}).status_code == 401
    assert page("GET", ME, headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert page("GET", ME, key="not a key").status_code == 401
    assert page("GET", ME, key=company.keys["export"]).status_code == 403


def test_a_token_in_the_header_needs_no_proof(page: Gateway):
    assert page("DELETE", OUT, token=page.session.cookies["session"]).status_code == 204


def test_a_cookie_of_no_session_is_no_credential_whatever_is_proved(gateway: Gateway):
    for cookie in ("session=", "session=x", "session=a.b.c", "csrf=x"):
        assert gateway("DELETE", OUT, headers={"Cookie": cookie}).status_code == 401
