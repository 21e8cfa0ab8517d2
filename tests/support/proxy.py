"""A network that can fail: a TCP proxy between a service and a server, for tests. Plain threads."""

import contextlib
import selectors
import socket
import struct
import threading
import time
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes everything on to the address in `uri`.

    * `cut`     resets every connection and refuses new ones: the server is down
    * `pause`   nothing passes, connections stay: the server is stopped
    * `strand`  the connections of now carry nothing ever again, new ones work: a line went dead
    * `resume`  all is well again
    """

    def __init__(self, uri: str, delay: float = 0.0) -> None:
        """`delay`: seconds that everything takes on its way to the server."""
        self._parts, self._delay = urlsplit(uri), delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: list[_Line] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._listen()

    @property
    def uri(self) -> str:
        """The URI by which the server is reached through this proxy."""
        user, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}"))

    def cut(self) -> None:
        # A bound socket that does not listen keeps the port and refuses connections.
        _end(self._listener)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self.reset()

    def reset(self) -> None:
        """Reset every connection; new ones work."""
        for line in self._lines:
            line.reset()
        self._lines.clear()

    def pause(self) -> None:
        self._flowing.clear()

    def strand(self) -> None:
        for line in self._lines:
            line.stranded = True

    def resume(self) -> None:
        self._flowing.set()
        if not self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            self._listener.listen()
            self._listen()

    def close(self) -> None:
        self._flowing.set()
        _end(self._listener)
        self.reset()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection((self._parts.hostname or "", self._parts.port or 0))
            except OSError:
                if listener is not self._listener or listener.fileno() < 0:
                    return
                continue
            line = _Line(client, server, self._flowing, self._delay)
            self._lines.append(line)
            threading.Thread(target=line.carry, daemon=True).start()


class _Line:
    def __init__(self, client: socket.socket, server: socket.socket, flowing: threading.Event, delay: float) -> None:
        self._client, self._server, self._flowing, self._delay = client, server, flowing, delay
        self.stranded = False

    def carry(self) -> None:
        with selectors.DefaultSelector() as ready, contextlib.suppress(OSError, ValueError):
            ready.register(self._client, selectors.EVENT_READ, self._server)
            ready.register(self._server, selectors.EVENT_READ, self._client)
            while self._client.fileno() >= 0:
                for key, _ in ready.select(timeout=0.2):
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    self._wait_to_flow()
                    if not data:
                        return self._end()
                    key.data.sendall(data)
        return self._end()

    def _wait_to_flow(self) -> None:
        self._flowing.wait()
        while self.stranded:
            time.sleep(0.05)
        time.sleep(self._delay)

    def _end(self) -> None:
        _end(self._client)
        _end(self._server)

    def reset(self) -> None:
        self.stranded = False
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                # Lingering for no time makes close() send a reset.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
