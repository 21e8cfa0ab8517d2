"""A client at the line: what it may send, how long it may take, and when it must make room for others."""

import io
import re
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import Any
from uuid import uuid4

import eventlet
from eventlet.green import BaseHTTPServer
from eventlet.green.socket import SHUT_RDWR, SHUT_WR
from eventlet.semaphore import Semaphore
from nameko.web.server import HttpOnlyProtocol

from shared.http.problems import DEFAULT_HEADERS, problem_by_status
from shared.plumbing import logs

URL_LIMIT = 8 * 1024
HEADER_LIMIT = 16 * 1024
"""Bytes of all header lines with their ends, without the request line."""
LINE_LIMIT = URL_LIMIT + 64
REFUSAL_PARAMS = {414: {"max": URL_LIMIT}, 431: {"max": HEADER_LIMIT}}
PACE = 16 * 1024
"""Bytes for which a client that sends slowly is given another second."""
PIECE = 8 * 1024
PARTING = 1.0
"""Seconds for which a client that still sends may go on after its answer; a reset would take the answer from it."""
LENGTH = re.compile(r"[0-9]{1,15}")


class Client(io.RawIOBase):
    """One connection and the place that it takes. To be read from, within a deadline that grows with what has come."""

    def __init__(self, sock: Any, place: Semaphore, seconds: float) -> None:
        """`seconds`: for the head of a request, for the beginning of its body, and for each write."""
        self.sock, self._place, self.seconds = sock, place, seconds
        self.thread: Any = None
        self.streams = False
        self.begin()

    def begin(self) -> None:
        """It may ask something now."""
        self.asked, self.waits, self.since = False, False, monotonic()
        self._deadline = self.since + self.seconds

    def ask(self) -> None:
        """Its question is there; what may follow is a body."""
        self.asked, self._deadline = True, monotonic() + self.seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(max(self._deadline - monotonic(), 0.001))
        self.waits = True
        try:
            received: int = self.sock.recv_into(buffer)
        finally:
            self.waits = False
            self.sock.settimeout(self.seconds)
        self._deadline += received / PACE
        return received

    def move(self, place: Semaphore) -> bool:
        """Take one of the other places; False if there is none."""
        if not place.acquire(blocking=False):
            return False
        self._place.release()
        self._place, self.streams = place, True
        return True

    def let_go(self) -> None:
        """Wake whoever reads from it: there is nothing more."""
        self.waits = False
        with suppress(OSError):
            self.sock.shutdown(SHUT_RDWR)

    def leave(self) -> None:
        with suppress(OSError), eventlet.Timeout(PARTING, False):
            self.sock.shutdown(SHUT_WR)
            while self.sock.recv(PIECE):
                pass
        self.sock.close()
        self._place.release()


class _HeaderTooLong(Exception):
    """The header is longer than we read."""


class _Header:
    """The lines of a header, up to HEADER_LIMIT; `whole` once its end has come."""

    def __init__(self, lines: Any) -> None:
        self._lines, self._left, self.whole = lines, HEADER_LIMIT, False

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._lines.readline(self._left + len(b"\r\n"))
        self.whole = line in (b"\r\n", b"\n")
        self._left -= 0 if self.whole else len(line)
        if self._left < 0:
            raise _HeaderTooLong
        return line


class Protocol(HttpOnlyProtocol):
    """Eventlet's, with our bounds, and with problems where it says nothing or HTML."""

    def setup(self) -> None:
        super().setup()
        self.client: Client = self.conn_state[3]
        self.rfile.close()
        self.rfile: Any = io.BufferedReader(self.client, PIECE)

    def handle_one_request(self) -> None:
        self.client.begin()
        super().handle_one_request()

    def _read_request_line(self) -> Any:
        line = super()._read_request_line()
        if len(line) <= LINE_LIMIT:
            return line
        self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
        return b""

    def parse_request(self) -> bool:
        self.rfile = header = _Header(self.rfile.fp)
        try:
            understood = super().parse_request()
        except _HeaderTooLong:
            return self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not understood:
            return False
        if not header.whole:
            self.close_connection = True
            return False
        if len(self.path) > URL_LIMIT:
            return self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        if not self._says_its_length():
            return self._refuse(HTTPStatus.BAD_REQUEST)
        self.client.ask()
        return True

    def _says_its_length(self) -> bool:
        """Once, in digits, and not in two ways: else another server may see another request in the same bytes."""
        lengths = self.headers.get_all("Content-Length", [])
        ways = len(lengths) + len(self.headers.get_all("Transfer-Encoding", []))
        return ways <= 1 and all(LENGTH.fullmatch(length) for length in lengths)

    def _refuse(self, status: HTTPStatus) -> bool:
        self.send_error(status)
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.close_connection = True
        # A version of HTTP that nobody speaks is the client's mistake, not ours.
        logs.set_correlation_id(str(uuid4()))
        problem = problem_by_status(code if code < 500 else 400, params=REFUSAL_PARAMS.get(code))
        response = problem.response()
        response.headers.update({"X-Request-Id": logs.correlation_id(), "Connection": "close", **DEFAULT_HEADERS})
        head = f"HTTP/1.1 {response.status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in response.headers)
        self.wfile.write(head.encode() + b"\r\n" + response.get_data())

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "protocol": self}

    def finish(self) -> None:
        with suppress(OSError):
            BaseHTTPServer.BaseHTTPRequestHandler.finish(self)
