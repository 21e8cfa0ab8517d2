"""A journal that takes recordings over HTTP: the gateway's link, and the bytes behind it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "ingest-key"
AS_USUAL = 0


class Journal(ThreadingHTTPServer):
    """`answers` are those to the next requests of either kind."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.answers: list[int] = []
        self.asked: list[str] = []
        self.taken: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    server: Journal
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append(self.path)
        if status := self.server.answers.pop(0) if self.server.answers else AS_USUAL:
            self._say(status)
        elif self.path.startswith("/media/"):
            self.server.taken[self.path.removeprefix("/media/").partition("?")[0]] = body
            self._say(201)
        elif self.headers["X-Api-Key"] == KEY:
            self._say(307, f"/media/{self.path.split('/')[4]}?link=words.signature")
        else:
            self._say(401)

    def _say(self, status: int, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[Journal]:
    with Journal() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
