"""A write by cookie must come from our own page and prove it."""

from datetime import timedelta

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from services.gateway.auth import csrf_cookies
from shared.http.entrypoint import Problem

TOKEN, HOST = "head.payload.signature", "journal.example.org"
PROOF = csrf_cookies.proof_of(TOKEN)
HERE = {"Sec-Fetch-Site": "same-origin"}


def request(method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method=method, headers={"Host": HOST, **named}).get_environ())


def let_in(asked: Request) -> bool:
    try:
        csrf_cookies.refuse_forged(asked, TOKEN)
    except Problem as refusal:
        return refusal.status != 403
    return True


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_proof(method):
    assert let_in(request(method))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_needs_the_proof_of_this_session(method):
    assert let_in(request(method, **HERE, X_CSRF_Token=PROOF))
    for wrong in ("", PROOF[:-1], PROOF + "x", TOKEN, csrf_cookies.proof_of("another"), "ключ"):
        assert not let_in(request(method, **HERE, X_CSRF_Token=wrong))
    assert not let_in(request(method, **HERE))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_another_site_may_not_write_even_with_the_proof(site):
    assert not let_in(request(Sec_Fetch_Site=site, Origin=f"https://{HOST}", X_CSRF_Token=PROOF))


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        (f"https://{HOST}", True),
        (f"http://{HOST}", True),
        (f"https://{HOST}:8443", False),
        (f"https://{HOST}.example.net", False),
        (f"https://evil.example.net/{HOST}", False),
        (f"https://evil@{HOST}", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_browser_that_does_not_say_whose_page_it_is_must_name_the_origin(origin, may):
    assert let_in(request(Origin=origin, X_CSRF_Token=PROOF)) is may


def test_a_write_that_says_nothing_of_where_it_comes_from_is_refused():
    assert not let_in(request(X_CSRF_Token=PROOF))


def test_the_proof_tells_nothing_of_the_token():
    assert TOKEN not in PROOF
    assert len(PROOF) == 43


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False), ("", False)])
def test_the_session_is_for_no_script_and_no_other_site(proto, secure):
    response = Response()
    csrf_cookies.give(request(X_Forwarded_Proto=proto), response, TOKEN, timedelta(hours=12))
    session, proof = map(attributes, response.headers.getlist("Set-Cookie"))
    common = {"Max-Age=43200", "Path=/", "SameSite=Strict"} | ({"Secure"} if secure else set())
    assert session == {f"session={TOKEN}", "HttpOnly"} | common
    assert proof == {f"csrf={PROOF}"} | common


def attributes(cookie: str) -> set[str]:
    return {part for part in cookie.split("; ") if not part.startswith("Expires=")}


def test_what_was_given_is_taken_back():
    response = Response()
    csrf_cookies.take_back(request(), response)
    assert [given.split(";")[0] for given in response.headers.getlist("Set-Cookie")] == ["session=", "csrf="]
    assert all("Max-Age=0" in given for given in response.headers.getlist("Set-Cookie"))
