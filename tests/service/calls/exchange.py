"""An Asterisk's manager interface over TCP that says what it is told to, in pieces of any size."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import NamedTuple

USER, SECRET = "journal", "s3cret"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
REFUSED = b"Response: Error\r\nMessage: Authentication failed\r\n\r\n"
BLOCK_END = b"\r\n\r\n"
LARGEST_PIECE = 3000


class Script(NamedTuple):
    """What is said on one connection after the greeting, and whether the exchange hangs up then."""

    words: bytes
    hangs_up: bool = False


class Exchange:
    """Each connection that logs in gets the next script; `same` gives every one the first."""

    def __init__(self, *scripts: Script, same: bool = False, port: int = 0) -> None:
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
            script = self.scripts[0] if self.same else self.scripts.pop(0)
            self._say(line, script.words)
            if script.hangs_up:
                line.shutdown(socket.SHUT_RDWR)
                line.close()
                return
            while action := self._read(line):
                self.asked.append(action)

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
