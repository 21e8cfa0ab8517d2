"""Many clients of the event stream in one thread; records when each event arrives."""

import selectors
import socket
import threading
import time
from collections import defaultdict
from urllib.parse import urlsplit

ID = b'"call_id":"'


class StreamClients:
    """One client for each of `headers`; `arrived[call_id]` lists the arrival times of the call's events."""

    def __init__(self, url: str, headers: list[dict[str, str]]) -> None:
        parts = urlsplit(url)
        self.arrived: dict[str, list[float]] = defaultdict(list)
        self._ready = selectors.DefaultSelector()
        self.lines = [self._open(str(parts.hostname), int(parts.port or 80), one) for one in headers]
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _open(self, host: str, port: int, headers: dict[str, str]) -> socket.socket:
        line = socket.create_connection((host, port), timeout=30)
        shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"GET /api/v1/journal/stream HTTP/1.1\r\nHost: bench\r\n{shown}\r\n".encode())
        head = line.recv(4096)
        assert head.startswith(b"HTTP/1.1 200"), head
        line.setblocking(False)
        self._ready.register(line, selectors.EVENT_READ)
        return line

    def _read(self) -> None:
        while not self._over:
            for key, _ in self._ready.select(0.5):
                self._record(key.fileobj)  # type: ignore[arg-type]

    def _record(self, line: socket.socket) -> None:
        try:
            said = line.recv(1 << 20)
        except BlockingIOError:
            return
        now = time.monotonic()
        for piece in said.split(ID)[1:]:
            self.arrived[piece[:36].decode()].append(now)
        if not said:
            self._ready.unregister(line)

    def close(self) -> None:
        self._over = True
        self._thread.join()
        for line in self.lines:
            line.close()
        self._ready.close()
