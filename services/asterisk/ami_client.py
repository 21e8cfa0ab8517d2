"""One connection to the manager interface: logged in, asked what lives, and read until it ends."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from services.asterisk.settings import Settings

CONNECT_TIMEOUT, LOGIN_TIMEOUT = 5.0, 10.0
PING_AFTER, IDLE_TIMEOUT = 20.0, 60.0
"""Seconds without a byte until the exchange is asked whether it is there, and until it is not."""
RESYNC_ACTION_ID = "resync"
RESYNC_ACTIONS = "\r\n\r\n".join(
    f"Action: {action}\r\nActionID: {RESYNC_ACTION_ID}" for action in ("CoreStatus", "CoreShowChannels")
)
"""Ask when the exchange was started, and which channels it has."""
CHUNK = 1 << 16
MAX_LOGIN_SIZE = 1 << 16

_REFUSED = re.compile(rb"Response: Error\r?\n(?:[^\r\n]+\r?\n)*?Message: ([^\r\n]*)")
_ACCEPTED = re.compile(rb"Message: Authentication accepted\r?\n")


class NotLoggedIn(Exception):
    """The exchange refused the user or the password; says what it said."""


def listen(settings: Settings, hear: Callable[[bytes], None]) -> None:
    """Pass on what the exchange says until it hangs up. Raises OSError when it cannot be reached, NotLoggedIn."""
    with _connected(settings) as line:
        _send(line, f"Action: Login\r\nUsername: {settings.user}\r\nSecret: {settings.secret}\r\nEvents: on")
        hear(_logged_in(line))
        _send(line, RESYNC_ACTIONS)
        for chunk in _chunks(line):
            hear(chunk)


@contextmanager
def _connected(settings: Settings) -> Iterator[socket.socket]:
    with socket.create_connection((settings.host, settings.port), timeout=CONNECT_TIMEOUT) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not settings.tls:
            yield plain
            return
        context = ssl.create_default_context(cafile=settings.ca or None)
        with context.wrap_socket(plain, server_hostname=settings.host) as secured:
            yield secured


def _send(line: socket.socket, action: str) -> None:
    line.sendall(f"{action}\r\n\r\n".encode())


def _logged_in(line: socket.socket) -> bytes:
    """All that came until the answer to the login, and what came with it."""
    said, end = b"", monotonic() + LOGIN_TIMEOUT
    while not _ACCEPTED.search(said):
        if refused := _REFUSED.search(said):
            raise NotLoggedIn(refused[1].decode(errors="replace"))
        if monotonic() > end or len(said) > MAX_LOGIN_SIZE:
            raise ConnectionError("The exchange does not answer the login.")
        line.settimeout(max(end - monotonic(), 0.1))
        chunk = line.recv(CHUNK)
        if not chunk:
            raise ConnectionError("The exchange hung up during the login.")
        said += chunk
    return said


def _chunks(line: socket.socket) -> Iterator[bytes]:
    line.settimeout(PING_AFTER)
    heard_at = monotonic()
    while True:
        try:
            chunk = line.recv(CHUNK)
        except TimeoutError:
            if monotonic() - heard_at > IDLE_TIMEOUT:
                raise ConnectionError("The exchange has fallen silent.") from None
            _send(line, "Action: Ping")
            continue
        if not chunk:
            return
        heard_at = monotonic()
        yield chunk
