"""HTTP doors: bounded bodies and waits, and every error an RFC 9457 problem."""

import errno
import json
import logging
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import eventlet
import orjson
from eventlet.semaphore import Semaphore
from greenlet import GreenletExit
from nameko.exceptions import ContainerBeingKilled
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HttpOnlyProtocol, WebServer, WsgiApp
from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Request, Response

from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected, ServiceError
from shared.plumbing import logs
from shared.plumbing.database import is_outage

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
CONNECTIONS = 500
SOCKET_TIMEOUT = 10
LINE_LIMIT = 8 * 1024
OUT_OF_SOCKETS = (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED, errno.ENOBUFS, errno.ENOMEM)
RETRY_AFTER = "1"
UNREAD, PATIENCE = 1024 * 1024, 1.0
"""Bytes that a client is let send, and seconds between them, after it was answered and before it is hung up on."""
PROTOCOL = "shared.web.protocol"
GUARDED = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""What every answer says, unless its door says otherwise: who asks for what is between us and the client."""
STAY_SECURE = "max-age=31536000"

Headers = dict[str, str] | None


class Problem(Exception):
    """An answer that is not the one asked for."""

    def __init__(
        self,
        status: int,
        type_: str,
        title: str,
        detail: str = "",
        *,
        errors: Any = None,
        headers: Headers = None,
        **more: Any,
    ) -> None:
        """`more`: what else the answer says, by name."""
        super().__init__(title)
        self.status, self.headers = status, headers or {}
        self.body = {"type": type_, "title": title, "status": status, "detail": detail or DETAILS.get(status, title)}
        self.body |= more
        if errors:
            self.body["errors"] = errors
        if status >= 500:
            self.body["instance"] = f"urn:uuid:{uuid4()}"

    def response(self) -> Response:
        # A lone surrogate that was sent to us, in a field's name for example, goes back as the escape it came as.
        body = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return Response(body, status=self.status, headers=self.headers, mimetype="application/problem+json")


TRACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
DETAILS = {404: "There is nothing here that you may see.", 500: "The logs know more of it, by its instance."}
TITLES = {400: "Malformed", 404: "Not found", 405: "Method not allowed", 411: "Length required", 413: "Too large"}


def answer(payload: Any, status: int = 200, headers: Headers = None) -> Response:
    """A JSON answer; no body for None."""
    if payload is None:
        return Response(status=status, headers=headers)
    return Response(orjson.dumps(payload), status=status, headers=headers, content_type="application/json")


def body_of(request: Request) -> Any:
    """The request's JSON. Raises Problem 415 or 400."""
    if request.mimetype != "application/json":
        raise Problem(415, "wrong-content", "Wrong content", "Send JSON with Content-Type: application/json.")
    try:
        return json.loads(request.get_data(cache=False).decode("utf-8"))
    except ClientDisconnected as error:
        raise Problem(408, "timeout", "Too slow", "The request did not arrive in time.") from error
    except (ValueError, RecursionError) as error:
        raise Problem(400, "malformed", "Malformed", f"The body is not JSON: {error}.") from error


def _problem(error: BaseException) -> Problem:
    match error:
        case Problem():
            return error
        case Invalid():
            return Problem(422, "invalid", "Invalid", str(error), errors=error.errors)
        case NotFound():
            return Problem(404, "not-found", "Not found")
        case Conflict() | Rejected():
            return Problem(409, "conflict", "Conflict", str(error))
        case HTTPException():
            return _http_problem(error)
    if isinstance(error, ContainerBeingKilled) or is_outage(error):
        headers = {"Retry-After": RETRY_AFTER}
        return Problem(503, "unavailable", "Try again", "Something needed for this does not answer.", headers=headers)
    detail = str(error) if isinstance(error, ServiceError) else ""
    return Problem(500, "failed", "Failed", detail)


def _http_problem(error: HTTPException) -> Problem:
    # A redirect would only mend the slashes of an address that we do not have.
    code = 404 if isinstance(error, RequestRedirect) else error.code or 500
    title = TITLES.get(code, error.name)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return Problem(code, title.lower().replace(" ", "-"), title, headers=headers)


class Stream(Response):
    """An answer that lasts. When the service stops, its pieces end wherever they wait: GreenletExit is raised there."""


class _Protocol(HttpOnlyProtocol):
    """Eventlet's HTTP, which hangs up when the answer says that it will, and not before the client has heard it."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[PROTOCOL] = self
        return environ

    def finish(self) -> None:
        # Who hangs up on somebody who still sends, resets the connection, and the answer may be lost.
        with suppress(OSError, ValueError):
            self._hear_out()
        super().finish()

    def _hear_out(self) -> None:
        sent = getattr(self, "environ", {}).get("eventlet.input")
        if not (sent and sent.content_length) or sent.should_send_hundred_continue:
            return
        self.connection.settimeout(PATIENCE)
        left = UNREAD
        while left > 0 and (piece := sent.read(min(left, 64 * 1024))):
            left -= len(piece)


class _Server(WebServer):
    """Nameko's server with bounds: connections, time to send a request, and sockets running out."""

    def start(self) -> None:
        self._streams: set[Any] = getattr(self, "_streams", set())
        super().start()

    def refuse(self) -> None:
        """Accept nobody any more; who is inside is served."""
        self._is_accepting = False
        if self._gt:
            self._gt.kill()
            self._sock.close()
        for thread in list(self._streams):
            thread.kill()

    def run(self) -> None:
        self._free = Semaphore(int(self.container.config.get("CONNECTIONS", CONNECTIONS)))
        while self._is_accepting:
            self._free.acquire()
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                self._free.release()
                if error.errno not in OUT_OF_SOCKETS:
                    raise
                eventlet.sleep(0.1)
                continue
            sock.settimeout(self._serv.socket_timeout)
            # Head and body are written apart: the body would wait 40 ms for the client to acknowledge the head.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.container.spawn_managed_thread(partial(self._serve, sock, address))

    def _serve(self, sock: Any, address: Any) -> None:
        try:
            self.process_request(sock, address)
        except (OSError, ValueError) as error:
            logger.info("connection dropped", extra={"error": repr(error)})
        except Exception:
            logger.exception("connection failed")
        finally:
            sock.close()
            self._free.release()

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = _Protocol, debug: bool = False) -> Any:
        server = super().get_wsgi_server(sock, wsgi_app, protocol, debug)
        server.socket_timeout = float(self.container.config.get("SOCKET_TIMEOUT", SOCKET_TIMEOUT))
        server.url_length_limit, server.log_output = LINE_LIMIT, False
        return server

    def context_data_from_headers(self, request: Any) -> dict[str, str]:
        return {"correlation_id": logs.correlation_id()}

    def get_wsgi_app(self) -> Any:
        return partial(self._route, WsgiApp(self))

    def _route(self, app: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        trace = environ.get("HTTP_X_REQUEST_ID", "")
        logs.work_for(trace if TRACE.fullmatch(trace) else str(uuid4()))
        response = self._respond(app, environ)
        if isinstance(response, Stream):
            environ["eventlet.minimum_write_chunk_size"] = 1
            response.response = self._until_stopped(response.response)
        response.headers["X-Request-Id"] = logs.correlation_id()
        for name, value in GUARDED.items():
            response.headers.setdefault(name, value)
        if environ.get("HTTP_X_FORWARDED_PROTO") == "https":
            response.headers["Strict-Transport-Security"] = STAY_SECURE
        if not self._is_accepting:
            response.headers["Connection"] = "close"
        if response.headers.get("Connection") == "close":
            environ[PROTOCOL].close_connection = True
        answered: Iterable[bytes] = response(environ, start_response)
        return answered

    def _until_stopped(self, pieces: Iterable[Any]) -> Iterator[Any]:
        thread = eventlet.getcurrent()
        self._streams.add(thread)
        try:
            yield from pieces
        except GreenletExit:
            logger.info("stream ended, the service stops")
        finally:
            self._streams.discard(thread)

    def _respond(self, app: Any, environ: dict[str, Any]) -> Response:
        request = Request(environ, shallow=True)
        try:
            door, values = app.url_map.bind_to_environ(environ).match()
            request.path_values = values  # type: ignore[attr-defined]
            response: Response = door.handle_request(request)
            return response
        except HTTPException as error:
            return _problem(error).response()


class Http(HttpRequestHandler):
    """`@http("POST", "/path", body_limit=…)`: the method is given the werkzeug request and returns a Response."""

    server = _Server()

    def __init__(self, method: str, url: str, *, body_limit: int = BODY_LIMIT, **kwargs: Any) -> None:
        self.body_limit = body_limit
        super().__init__(method, url, expected_exceptions=(Problem, ServiceError), **kwargs)

    def handle_request(self, request: Any) -> Response:
        length = request.content_length
        if length is None and "Transfer-Encoding" in request.headers:
            return self._refused(Problem(411, "length-required", "Length required", "Send a Content-Length."))
        if (length or 0) > self.body_limit:
            detail = f"At most {self.body_limit} bytes are taken here."
            return self._refused(Problem(413, "too-large", "Too large", detail))
        response: Response = super().handle_request(request)
        return response

    def stop(self) -> None:
        self.server.refuse()
        super().stop()

    def _refused(self, problem: Problem) -> Response:
        problem.headers["Connection"] = "close"
        return problem.response()

    def response_from_exception(self, exc: BaseException) -> Response:
        problem = _problem(exc)
        if problem.status >= 500:
            level = logging.WARNING if problem.status == 503 else logging.ERROR
            logger.log(level, "request failed", extra={"instance": problem.body["instance"]}, exc_info=exc)
        return problem.response()


http: Callable[..., Any] = Http.decorator
