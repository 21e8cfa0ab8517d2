"""Fetch a document over HTTP, bounded in time and size, without following redirects."""

from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener

import eventlet

FETCH_TIMEOUT = 3.0
MAX_BYTES = 256 * 1024


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


def fetch(url: str) -> bytes:
    """The response's body. Raises OSError if it does not arrive in FETCH_TIMEOUT seconds, ValueError if too large."""
    opener = build_opener(_NoRedirects)
    timeout = eventlet.Timeout(FETCH_TIMEOUT, TimeoutError("no response in time"))
    try:
        with timeout, opener.open(url, timeout=FETCH_TIMEOUT) as response:
            body: bytes = response.read(MAX_BYTES + 1)
    except HTTPException as error:
        raise OSError(repr(error)) from error
    if len(body) > MAX_BYTES:
        raise ValueError(f"The response is larger than {MAX_BYTES} bytes.")
    return body
