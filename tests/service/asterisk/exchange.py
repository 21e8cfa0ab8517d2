"""An Asterisk's manager interface over TCP that says what it is told to, in pieces of any size."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

from services.asterisk.spool import HEADER
from tests.support.infrastructure import Service
from tests.unit.feeds.living import Living

USER, SECRET = "journal", "s3cret"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
REFUSED = b"Response: Error\r\nMessage: Authentication failed\r\n\r\n"
PONG = b"Response: Success\r\nPing: Pong\r\nTimestamp: %.6f\r\n\r\n"
BLOCK_END = b"\r\n\r\n"
LISTED = b"CoreShowChannelsComplete"
LARGEST_PIECE = 3000


Start = Callable[..., Service]
"""Starts a process that hears an exchange: `start(exchange, spool, **environment)`."""


class Script(NamedTuple):
    """What is said on one connection after the greeting, and whether the exchange hangs up then."""

    words: bytes
    hangs_up: bool = False


QUIET = Script(ACCEPTED)


class Exchange:
    """Each connection that logs in gets the next script, and then a quiet one; `same` gives every one the first.

    Whoever asks is told which channels live by all that was said so far, unless the script has a list of its own.
    `tls` wraps its connections.
    """

    def __init__(self, *scripts: Script, same: bool = False, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.tls, self.living = tls, Living()
        self.scripts, self.same = list(scripts), same
        self.logins: list[bytes] = []
        self.asked: list[bytes] = []
        self._random = Random(1)
        self._lines: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]

    @contextmanager
    def open(self) -> Iterator["Exchange"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            for line in [self._server, *self._lines]:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                line.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                if self.tls:
                    try:
                        line = self.tls.wrap_socket(line, server_side=True)
                    except OSError:
                        continue
                self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError):
            line.sendall(GREETING)
            login = self._read(line)
            self.logins.append(login)
            if f"Secret: {SECRET}\r\n".encode() not in login:
                line.sendall(REFUSED)
                line.close()
                return
            script = QUIET if not self.scripts else self.scripts[0] if self.same else self.scripts.pop(0)
            accepted, end, rest = script.words.partition(BLOCK_END)
            line.sendall(accepted + end)
            if accepted and LISTED not in rest:
                self.asked.append(self._read(line))
                line.sendall(self.living.listed())
            self.living.hear(script.words)
            self._say(line, rest)
            if script.hangs_up:
                line.shutdown(socket.SHUT_RDWR)
                line.close()
                return
            while action := self._read(line):
                self.asked.append(action)
                if b"Action: Ping" in action:
                    line.sendall(PONG % time.time())

    def _say(self, line: socket.socket, words: bytes) -> None:
        while words:
            size = self._random.randint(1, LARGEST_PIECE)
            line.sendall(words[:size])
            words = words[size:]
            time.sleep(0.002)

    def _read(self, line: socket.socket) -> bytes:
        said = b""
        while not said.endswith(BLOCK_END) and (chunk := line.recv(4096)):
            said += chunk
        return said


def words_of(connection: bytes) -> bytes:
    """A capture without its greeting."""
    return re.sub(rb"^Asterisk Call Manager/[\d.]+\r\n", b"", connection)


def broken_off(connection: bytes, at: int) -> tuple[bytes, bytes]:
    """What was said until `at` bytes, and what a new connection says: logged in, and the event that was cut, whole."""
    words = words_of(connection)
    whole = words.rfind(BLOCK_END, 0, at)
    rest = words[whole + len(BLOCK_END) :] if whole >= 0 else words
    return words[:at], ACCEPTED + rest


def heard(folder: Path) -> bytes:
    """What the last process has heard."""
    segments = sorted(folder.glob("*.ami"))
    data, words = segments[-1].read_bytes() if segments else b"", b""
    while len(data) >= HEADER.size:
        end = HEADER.size + HEADER.unpack(data[: HEADER.size])[0]
        words, data = words + data[HEADER.size : end], data[end:]
    return words
