"""The HTTP server: as many clients as there are places, and at its end it loses none of them."""

import errno
import logging
import re
import resource
import socket
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import eventlet
from eventlet.semaphore import Semaphore
from eventlet.wsgi import STATE_IDLE
from greenlet import GreenletExit
from nameko.web.server import WebServer, WsgiApp
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from shared.http.connections import LINE_LIMIT, Client, Protocol
from shared.http.problems import DEFAULT_HEADERS, Problem, to_problem
from shared.plumbing import logs

logger = logging.getLogger(__name__)

CONNECTIONS = 500
STREAMS = 1000
BACKLOG = 512
SOCKET_TIMEOUT = 10
LOOK_UP = 0.2
"""Seconds after which the server looks whether it should end."""
GRACE = 0.5
"""Seconds for which an end waits for the requests of clients that have only just come."""
OUT_OF_SOCKETS = (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED, errno.ENOBUFS, errno.ENOMEM)
STAY_SECURE = "max-age=31536000"
TRACE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Stream(Response):
    """An answer that lasts: it gives its place among the requests back and takes one of STREAMS, or is a 503.

    When the service stops, its pieces end wherever they wait: GreenletExit is raised there.
    """


class Server(WebServer):
    """Nameko's server with bounds: `CONNECTIONS` (500), `STREAMS` (1,000), `SOCKET_TIMEOUT` (10 s).

    When every place is taken, the client that has kept us waiting longest makes room for the next.
    """

    _is_accepting: bool

    def start(self) -> None:
        if not self._starting:
            config = self.container.config
            self._requests = Semaphore(int(config.get("CONNECTIONS", CONNECTIONS)))
            self._streams = Semaphore(int(config.get("STREAMS", STREAMS)))
            self._seconds = float(config.get("SOCKET_TIMEOUT", SOCKET_TIMEOUT))
            self._clients = set[Client]()
            _allow_many_sockets()
        super().start()
        self._sock.listen(BACKLOG)

    def drain(self) -> None:
        """Let nobody else in, and return when everybody inside has been served and has left."""
        if self._is_accepting:
            self._is_accepting = False
            self._gt.wait()
            eventlet.sleep(GRACE)
            self._let_idlers_go()
        while self._clients or not self._gt.dead:
            eventlet.sleep(0.02)

    def _let_idlers_go(self) -> None:
        for client in list(self._clients):
            if client.streams:
                client.thread.kill()
            elif client.waits and not client.asked:
                client.let_go()

    def run(self) -> None:
        while self._accept():
            pass
        self._sock.close()

    def _accept(self) -> bool:
        """Whether to go on: who has come before we end is let in still."""
        accepting = self._is_accepting
        self._sock.settimeout(LOOK_UP if accepting else 0)
        try:
            sock, address = self._sock.accept()
        except (TimeoutError, BlockingIOError):
            return accepting
        except OSError as error:
            if error.errno not in OUT_OF_SOCKETS:
                raise
            eventlet.sleep(0.01 if self._make_room() else 0.1)
            return accepting
        self._admit(sock, address)
        return True

    def _admit(self, sock: Any, address: Any) -> None:
        if self._requests.locked():
            self._make_room()
        while not self._requests.acquire(timeout=LOOK_UP):
            self._make_room()
        sock.settimeout(self._seconds)
        # Head and body are written apart: the body would wait 40 ms for the client to acknowledge the head.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, self._requests, self._seconds)
        self._clients.add(client)
        client.thread = self.container.spawn_managed_thread(partial(self._serve, client, address))

    def _make_room(self) -> bool:
        waiting = [client for client in self._clients if client.waits]
        if waiting:
            min(waiting, key=lambda client: client.since).let_go()
        return bool(waiting)

    def _serve(self, client: Client, address: Any) -> None:
        try:
            self._serv.process_request([address, client.sock, STATE_IDLE, client])
        except (OSError, ValueError) as error:
            logger.info("connection dropped", extra={"error": repr(error)})
        except Exception:
            logger.exception("connection failed")
        finally:
            client.leave()
            self._clients.discard(client)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = Protocol, debug: bool = False) -> Any:
        server = super().get_wsgi_server(sock, wsgi_app, protocol, debug)
        server.socket_timeout, server.log_output = self._seconds, False
        server.url_length_limit = LINE_LIMIT + 2
        return server

    def context_data_from_headers(self, request: Any) -> dict[str, str]:
        return {"correlation_id": logs.correlation_id()}

    def get_wsgi_app(self) -> Any:
        return partial(self._route, WsgiApp(self))

    def _route(self, app: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        trace = environ.get("HTTP_X_REQUEST_ID", "")
        logs.set_correlation_id(trace if TRACE.fullmatch(trace) else str(uuid4()))
        protocol = environ["protocol"]
        response = self._respond(app, environ)
        if isinstance(response, Stream):
            response = self._seated(response, protocol.client)
            protocol.close_connection, environ["eventlet.minimum_write_chunk_size"] = True, 1
        response.headers["X-Request-Id"] = logs.correlation_id()
        for name, value in DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)
        if environ.get("HTTP_X_FORWARDED_PROTO") == "https":
            response.headers["Strict-Transport-Security"] = STAY_SECURE
        if not self._is_accepting or response.headers.pop("Connection", "") == "close":
            protocol.close_connection = True
        answered: Iterable[bytes] = response(environ, start_response)
        return answered

    def _respond(self, app: Any, environ: dict[str, Any]) -> Response:
        request = Request(environ, shallow=True)
        try:
            door, values = app.url_map.bind_to_environ(environ).match()
            request.path_values = values  # type: ignore[attr-defined]
            response: Response = door.handle_request(request)
            return response
        except HTTPException as error:
            return to_problem(error).response()

    def _seated(self, stream: Stream, client: Client) -> Response:
        if self._is_accepting and client.move(self._streams):
            stream.response = _until_stopped(stream.response)
            return stream
        stream.close()
        return Problem("too_many_streams").response()


def _allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _until_stopped(pieces: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from pieces
    except GreenletExit:
        logger.info("stream ended, the service stops")
