"""A gateway that takes reports over HTTP and remembers them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Gateway(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.batches: list[list[dict[str, Any]]] = []
        self.answers: list[int] = []
        self.refuses: Callable[[dict[str, Any]], bool] = lambda report: False
        self.keys: set[str | None] = set()

    def store(self, batch: list[dict[str, Any]]) -> None:
        self.batches.append(batch)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [report for batch in self.batches for report in batch]


class Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wrong = {str(n): {"at": ["Wrong."]} for n, report in enumerate(body) if self.server.refuses(report)}
        status = self.server.answers.pop(0) if self.server.answers else 422 if wrong else 202
        if status == 202:
            self.server.store(body)
            self.server.keys.add(self.headers["X-Api-Key"])
        answer = json.dumps({"errors": wrong}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Counter(Gateway):
    """Keeps how many there were, and nothing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = 0

    def store(self, batch: list[dict[str, Any]]) -> None:
        self.arrived += len(batch)


@contextmanager
def listening(gateway: Gateway | None = None) -> Iterator[Any]:
    with gateway or Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
