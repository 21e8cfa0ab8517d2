"""One connection to the manager interface: log in, list the live channels, read until it closes."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from services.asterisk.settings import Settings

CONNECT_TIMEOUT, LOGIN_TIMEOUT = 5.0, 10.0
PING_AFTER, IDLE_TIMEOUT = 20.0, 60.0
"""Seconds without a byte until a ping is sent, and until the connection counts as lost."""
RESYNC_ACTION_ID = "resync"
RESYNC_ACTIONS = "\r\n\r\n".join(
    f"Action: {action}\r\nActionID: {RESYNC_ACTION_ID}" for action in ("CoreStatus", "CoreShowChannels")
)
"""Request the start time of the exchange and the list of its channels."""
CHUNK = 1 << 16
MAX_LOGIN_SIZE = 1 << 16

_REFUSED = re.compile(rb"Response: Error\r?\n(?:[^\r\n]+\r?\n)*?Message: ([^\r\n]*)")
_ACCEPTED = re.compile(rb"Message: Authentication accepted\r?\n")


class NotLoggedIn(Exception):
    """The exchange refused the user or the password. The message is its response."""


def listen(settings: Settings, receive: Callable[[bytes], None]) -> None:
    """Pass each received chunk to `receive` until the exchange closes the connection.

    Raises OSError when it cannot be reached, NotLoggedIn when it refuses the login.
    """
    with _connected(settings) as connection:
        _send(connection, f"Action: Login\r\nUsername: {settings.user}\r\nSecret: {settings.secret}\r\nEvents: on")
        receive(_logged_in(connection))
        _send(connection, RESYNC_ACTIONS)
        for chunk in _chunks(connection):
            receive(chunk)


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


def _send(connection: socket.socket, action: str) -> None:
    connection.sendall(f"{action}\r\n\r\n".encode())


def _logged_in(connection: socket.socket) -> bytes:
    """The bytes received up to the response to the login, and those that came with it."""
    received, end = b"", monotonic() + LOGIN_TIMEOUT
    while not _ACCEPTED.search(received):
        if refused := _REFUSED.search(received):
            raise NotLoggedIn(refused[1].decode(errors="replace"))
        if monotonic() > end or len(received) > MAX_LOGIN_SIZE:
            raise ConnectionError("The exchange does not respond to the login.")
        connection.settimeout(max(end - monotonic(), 0.1))
        chunk = connection.recv(CHUNK)
        if not chunk:
            raise ConnectionError("The exchange closed the connection during the login.")
        received += chunk
    return received


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    connection.settimeout(PING_AFTER)
    last_received_at = monotonic()
    while True:
        try:
            chunk = connection.recv(CHUNK)
        except TimeoutError:
            if monotonic() - last_received_at > IDLE_TIMEOUT:
                raise ConnectionError("The exchange sent nothing for a minute.") from None
            _send(connection, "Action: Ping")
            continue
        if not chunk:
            return
        last_received_at = monotonic()
        yield chunk
