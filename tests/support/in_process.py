"""A Nameko service in the process of the test: its HTTP endpoints as a WSGI application, its RPC methods as functions.

Routes, decorators, entrypoints and dependencies are those of the service; PostgreSQL, Redis and the broker are real.
What needs the event loop is left out: the network, timers, subscriptions and the streams' loop. An RPC call goes
through the same entrypoint and the same JSON to a service in this process, or is unavailable at once.
"""

import io
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import requests
from eventlet.event import Event
from eventlet.greenio import GreenSocket
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from services.gateway.endpoints.endpoint import Broker
from shared.contracts.errors import Unavailable
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Http
from shared.plumbing import rpc_errors
from shared.plumbing.database import Database
from shared.plumbing.rpc import Remote, Rpc, RpcClient

# The runner makes the whole process cooperative, which is not for that of a test.
with patch("eventlet.monkey_patch"):
    from shared.plumbing import runner

URL = "http://in-process"


class InProcessService:
    """`services.x.service:X` with the settings of its config.yml; `env` are the environment variables in it."""

    def __init__(self, target: str, env: Mapping[str, str], owners: Mapping[str, "InProcessService"] | None = None):
        """`owners`: the services that answer its RPC calls, by name; the others do not answer."""
        module, _, name = target.partition(":")
        service = import_module(module)
        with patch.dict(os.environ, env):
            config = runner.configuration(Path(str(service.__file__)).with_name("config.yml"))
        self.owners = dict(owners or {})
        self._container = runner.Container(getattr(service, name), config)
        self._stack = ExitStack()
        for dependency in self._container.dependencies:
            if isinstance(dependency, RpcClient):
                dependency.get_dependency = self._remote(dependency.service)
            else:
                dependency.setup()
            if isinstance(dependency, Database):
                dependency.start()
                self._stack.callback(dependency.stop)
            if isinstance(dependency, Broker):
                self._stack.callback(dependency.publishers.close)
        endpoints = [entrypoint for entrypoint in self._container.entrypoints if isinstance(entrypoint, Http)]
        for endpoint in endpoints:
            endpoint.setup()
            # The places for streams belong to the network, which is left out.
            endpoint.server._streams = None
        self._wsgi = endpoints[0].server.get_wsgi_app() if endpoints else None

    def _remote(self, service: str) -> Any:
        return lambda worker_ctx: InProcessRemote(service, self.owners)

    def stop(self) -> None:
        self._stack.close()

    def session(self, session: requests.Session) -> requests.Session:
        """Let the client's requests to URL go to this service."""
        session.mount(URL, _Adapter(self._wsgi))
        return session

    def call(self, method: str, kwargs: str) -> str:
        """Call an RPC method; takes and returns JSON as it is sent over the broker."""
        [entrypoint] = [e for e in self._container.entrypoints if isinstance(e, Rpc) and e.method_name == method]
        consumer, replied = entrypoint.rpc_consumer, Event()
        message = SimpleNamespace(properties={"reply_to": "caller"})
        consumer._replies = SimpleNamespace(publish=lambda messages: replied.send(messages[0].body))
        consumer.queue_consumer = SimpleNamespace(ack_message=lambda message: None)

        def reply(worker_ctx: object, result: Any, exc_info: Any) -> Any:
            return consumer.handle_result(message, result, exc_info)

        self._container.spawn_worker(entrypoint, [], json.loads(kwargs), handle_result=reply)
        return str(replied.wait())


class InProcessRemote(Remote):
    """Calls the service in this process instead of the broker."""

    def __init__(self, service: str, owners: Mapping[str, InProcessService]) -> None:
        self._service, self._owners = service, owners

    def _result(self, method: RpcMethod, timeout: float, kwargs: Json) -> Any:
        if self._service not in self._owners:
            raise Unavailable("service_unavailable", params={"service": self._service})
        reply = json.loads(self._owners[self._service].call(method.name, json.dumps(kwargs)))
        if reply.get("error"):
            raise rpc_errors.load(reply["error"])
        return reply["result"]


class _Adapter(HTTPAdapter):
    """Sends a request of `requests` to a WSGI application."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._app = app
        # A stream looks at its client's socket. Here nothing is sent over it.
        self._socket, self._client = map(GreenSocket, socket.socketpair())

    def close(self) -> None:
        self._socket.close()
        self._client.close()

    def send(self, request: requests.PreparedRequest, stream: bool = False, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        body = request.body.encode() if isinstance(request.body, str) else request.body
        builder = EnvironBuilder(method=request.method, path=unquote(parts.path), query_string=parts.query)
        environ = builder.get_environ()
        headers = {name.upper().replace("-", "_"): value for name, value in request.headers.items()}
        for name, value in headers.items():
            text = value.decode("latin1") if isinstance(value, bytes) else value
            environ[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"] = text
        if body is not None:
            environ["wsgi.input"] = body if hasattr(body, "read") else io.BytesIO(body)
        environ["protocol"] = SimpleNamespace(client=SimpleNamespace(move=lambda places: True), close_connection=False)
        environ["eventlet.input"] = SimpleNamespace(get_socket=lambda: self._socket)
        environ["REMOTE_ADDR"] = "127.0.0.1"
        chunks, status, response_headers = run_wsgi_app(self._app, environ)
        code, _, reason = status.partition(" ")
        raw = HTTPResponse(
            body=_Body(chunks) if stream else io.BytesIO(b"".join(chunks)),
            headers=list(response_headers),
            status=int(code),
            reason=reason,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


class _Body(io.RawIOBase):
    """The chunks of a response as a file, read when they are asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._left = iter(chunks), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close and not self.closed:
            close()
        super().close()


@contextmanager
def in_process(target: str, env: Mapping[str, str], **owners: InProcessService) -> Iterator[InProcessService]:
    service = InProcessService(target, env, owners)
    yield service
    service.stop()
