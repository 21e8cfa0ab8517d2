"""The page's session cookie, which scripts cannot read, and the CSRF token that every write must carry.

The CSRF token is a hash of the session token: it is bound to the session, needs no key of its own, and does not
reveal the session token.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from shared.http.entrypoint import Problem

SESSION, CSRF = "session", "csrf"
HEADER = "X-CSRF-Token"


def set_cookies(request: Request, response: Response, token: str, max_age: timedelta) -> None:
    seconds = max(0, int(max_age.total_seconds()))
    _set(request, response, SESSION, token, seconds)
    _set(request, response, CSRF, csrf_token_of(token), seconds)


def clear_cookies(request: Request, response: Response) -> None:
    for name in (SESSION, CSRF):
        _set(request, response, name, "", 0)


def token_of(request: Request) -> str | None:
    """The session token in the cookie, used for a request without other credentials."""
    return request.cookies.get(SESSION) or None


def csrf_token_of(token: str) -> str:
    return urlsafe_b64encode(hmac.digest(token.encode(), b"csrf", "sha256")).decode().rstrip("=")


def verify_csrf(request: Request, token: str) -> None:
    """Raises Problem 403 for a request that another site may have made the browser send."""
    if not _same_origin(request):
        raise Problem("cross_site_request")
    csrf_token = request.headers.get(HEADER, "")
    if not hmac.compare_digest(csrf_token.encode(), csrf_token_of(token).encode()):
        raise Problem("csrf_token_wrong", params={"cookie": CSRF, "header": HEADER})


def _same_origin(request: Request) -> bool:
    """By Sec-Fetch-Site; a browser too old to send it still sends the Origin of a write."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("Origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("Host")


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=request.headers.get("X-Forwarded-Proto") == "https",
        httponly=name == SESSION,
        samesite="Strict",
    )
