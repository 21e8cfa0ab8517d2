"""What the gateway reads from elsewhere over HTTP: bounded in time and size, and going where it was sent only."""

from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener

import eventlet

WITHIN = 3.0
MOST = 256 * 1024


class _StayThere(HTTPRedirectHandler):
    def redirect_request(self, *asked: Any) -> None:
        return None


def fetch(url: str) -> bytes:
    """What is at the address. Raises OSError when it is not to be had within three seconds, ValueError if large."""
    opener = build_opener(_StayThere)
    try:
        with eventlet.Timeout(WITHIN, TimeoutError("too slow")), opener.open(url, timeout=WITHIN) as answer:
            read: bytes = answer.read(MOST + 1)
    except HTTPException as error:
        raise OSError(repr(error)) from error
    if len(read) > MOST:
        raise ValueError(f"more than {MOST} bytes")
    return read
