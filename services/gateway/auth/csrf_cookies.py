"""The page's session: a cookie that no script can read, and proof with every write that it was the page that wrote.

The proof is made of the session's token, which only the cookie knows: it is bound to the session, needs no key
of its own, and cannot be turned back.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from shared.http.entrypoint import Problem

SESSION, CSRF = "session", "csrf"
HEADER = "X-CSRF-Token"
READS = frozenset({"GET", "HEAD", "OPTIONS"})


def give(request: Request, response: Response, token: str, lives: timedelta) -> None:
    seconds = max(0, int(lives.total_seconds()))
    _set(request, response, SESSION, token, seconds)
    _set(request, response, CSRF, proof_of(token), seconds)


def take_back(request: Request, response: Response) -> None:
    for name in (SESSION, CSRF):
        _set(request, response, name, "", 0)


def token_of(request: Request) -> str | None:
    """The token in the cookie, which counts for a request without other credentials."""
    return request.cookies.get(SESSION) or None


def proof_of(token: str) -> str:
    return urlsafe_b64encode(hmac.digest(token.encode(), b"csrf", "sha256")).decode().rstrip("=")


def refuse_forged(request: Request, token: str) -> None:
    """Raises Problem 403 for a write that another site may have made the browser send."""
    if request.method in READS:
        return
    if not _same_origin(request):
        raise Problem(403, "forged", "Not allowed", "A page of another site may not write here.")
    sent = request.headers.get(HEADER, "")
    if not hmac.compare_digest(sent.encode(), proof_of(token).encode()):
        raise Problem(403, "forged", "Not allowed", f"Send what the cookie {CSRF} holds in the header {HEADER}.")


def _same_origin(request: Request) -> bool:
    """As the browser says; one that is too old to say so still names the origin of a write."""
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
