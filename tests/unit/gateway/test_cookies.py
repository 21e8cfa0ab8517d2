"""A write with the session cookie must come from the same origin and carry the CSRF token."""

from datetime import timedelta

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from services.gateway.auth import csrf_cookies
from shared.http.entrypoint import Problem

TOKEN, HOST = "head.payload.signature", "journal.example.org"
CSRF_TOKEN = csrf_cookies.csrf_token_of(TOKEN)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def request(method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method=method, headers={"Host": HOST, **named}).get_environ())


def is_accepted(sent: Request) -> bool:
    try:
        csrf_cookies.verify_csrf(sent, TOKEN)
    except Problem as refusal:
        return refusal.status != 403
    return True


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_needs_the_csrf_token_of_this_session(method):
    assert is_accepted(request(method, **SAME_ORIGIN, X_CSRF_Token=CSRF_TOKEN))
    for wrong in ("", CSRF_TOKEN[:-1], CSRF_TOKEN + "x", TOKEN, csrf_cookies.csrf_token_of("another"), "ключ"):
        assert not is_accepted(request(method, **SAME_ORIGIN, X_CSRF_Token=wrong))
    assert not is_accepted(request(method, **SAME_ORIGIN))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_another_site_may_not_write_even_with_the_csrf_token(site):
    assert not is_accepted(request(Sec_Fetch_Site=site, Origin=f"https://{HOST}", X_CSRF_Token=CSRF_TOKEN))


@pytest.mark.parametrize(
    ("origin", "accepted"),
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
def test_without_sec_fetch_site_the_origin_must_match(origin, accepted):
    assert is_accepted(request(Origin=origin, X_CSRF_Token=CSRF_TOKEN)) is accepted


def test_a_write_without_any_origin_is_refused():
    assert not is_accepted(request(X_CSRF_Token=CSRF_TOKEN))


def test_the_csrf_token_does_not_reveal_the_session_token():
    assert TOKEN not in CSRF_TOKEN
    assert len(CSRF_TOKEN) == 43


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False), ("", False)])
def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(proto, secure):
    response = Response()
    csrf_cookies.set_cookies(request(X_Forwarded_Proto=proto), response, TOKEN, timedelta(hours=12))
    session, csrf = map(attributes, response.headers.getlist("Set-Cookie"))
    common = {"Max-Age=43200", "Path=/", "SameSite=Strict"} | ({"Secure"} if secure else set())
    assert session == {f"session={TOKEN}", "HttpOnly"} | common
    assert csrf == {f"csrf={CSRF_TOKEN}"} | common


def attributes(cookie: str) -> set[str]:
    return {part for part in cookie.split("; ") if not part.startswith("Expires=")}


def test_clearing_expires_both_cookies():
    response = Response()
    csrf_cookies.clear_cookies(request(), response)
    assert [given.split(";")[0] for given in response.headers.getlist("Set-Cookie")] == ["session=", "csrf="]
    assert all("Max-Age=0" in given for given in response.headers.getlist("Set-Cookie"))
