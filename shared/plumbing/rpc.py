"""RPC that cannot hang: every call has a deadline, on both sides.

Nameko's own proxy waits for ever, leaks what it waits for, and a request without `reply_to` kills its server.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import wraps
from typing import Any
from uuid import uuid4

import eventlet
from marshmallow import ValidationError
from nameko import exceptions as nameko_errors
from nameko import rpc as nameko_rpc
from nameko.extensions import DependencyProvider
from nameko.messaging import QueueConsumer
from psycopg.errors import QueryCanceled

from shared.contracts.errors import Invalid, ServiceError, Unavailable
from shared.contracts.rpc import RpcMethod
from shared.contracts.topology import RPC_EXCHANGE
from shared.contracts.validation import invalid
from shared.contracts.wire import Json
from shared.plumbing import deadline, logs, rpc_errors
from shared.plumbing.database import is_outage
from shared.plumbing.publisher import BROKER_ERRORS, Outgoing, Publishers

logger = logging.getLogger(__name__)

TIMEOUT = 3.0
TRANSIENT = {"delivery_mode": 1}
"""A request and its answer are worth nothing after a few seconds: the broker need not write them to its disk."""
REPLY_QUEUE_EXPIRES = 60_000
"""Milliseconds that a reply queue outlives its service."""


class _QueueConsumer(QueueConsumer):
    """Nameko's consumer of RPC and reply queues, without the ways in which a message or a cut line ends it."""

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        connection = self.connection
        try:
            connection.ensure_connection(self.on_connection_error, interval_start=0.2, interval_max=2)
            yield connection
        finally:
            connection.collect()

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        logger.error("undecodable message dropped", extra={"error": str(exc)})
        message.reject(requeue=False)

    def ack_message(self, message: Any) -> None:
        # A line that breaks here gives the message back to the broker, and us a new line.
        with suppress(OSError):
            super().ack_message(message)

    def reject_message(self, message: Any) -> None:
        with suppress(*BROKER_ERRORS):
            message.reject(requeue=False)

    def requeue_message(self, message: Any) -> None:
        with suppress(OSError):
            super().requeue_message(message)


class _RpcConsumer(nameko_rpc.RpcConsumer):
    queue_consumer = _QueueConsumer()

    def setup(self) -> None:
        super().setup()
        self._replies = Publishers(self.container.config["AMQP_URI"])

    def handle_message(self, body: Any, message: Any) -> None:
        if not _well_formed(body, message):
            logger.error("malformed request dropped", extra={"properties": repr(message.properties)[:500]})
            self.queue_consumer.reject_message(message)
        else:
            super().handle_message(body, message)

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        error = _crossing(exc_info[1]) if exc_info else None
        try:
            body = _reply(result, error)
        except (TypeError, ValueError, RecursionError) as unserialisable:
            body = _reply(None, _crossing(unserialisable))
        reply_to, about = message.properties["reply_to"], message.properties.get("correlation_id", "")
        try:
            self._replies.publish([Outgoing(RPC_EXCHANGE, reply_to, body, about, properties=TRANSIENT)])
        except Unavailable as gone:
            # The caller has a deadline and every write is idempotent: it will ask again.
            logger.warning("reply not delivered", extra={"error": str(gone)})
        self.queue_consumer.ack_message(message)
        return result, exc_info


def _reply(result: Any, error: ServiceError | None) -> str:
    return json.dumps({"result": result, "error": error and rpc_errors.dump(error)}, ensure_ascii=False)


def _well_formed(body: Any, message: Any) -> bool:
    asked = body if isinstance(body, dict) else {}
    whole = isinstance(asked.get("args"), list) and isinstance(asked.get("kwargs"), dict)
    return whole and bool(message.properties.get("reply_to"))


def _crossing(error: BaseException) -> ServiceError:
    """What the caller may know: our own errors as they are, of any other only where to look it up."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, ValidationError):
        return invalid(error)
    if isinstance(error, nameko_errors.MethodNotFound | nameko_errors.IncorrectSignature):
        return Invalid("unknown_method", params={"reason": str(error)})
    if isinstance(error, QueryCanceled) or is_outage(error):
        return Unavailable("database_unavailable")
    instance = f"urn:uuid:{uuid4()}"
    logger.error("request failed", extra={"instance": instance}, exc_info=error)
    return ServiceError(message=f"Failed; the logs contain more: {instance}")


class Rpc(nameko_rpc.Rpc):
    """The entrypoint of one RPC method: Nameko's, with our errors, deadlines, and safe against any request."""

    rpc_consumer = _RpcConsumer()

    def __init__(self, contract: RpcMethod, **kwargs: Any) -> None:
        self.contract = contract
        super().__init__(expected_exceptions=(ServiceError, ValidationError), **kwargs)

    def unpack_message_headers(self, message: Any) -> dict[str, Any]:
        # Nameko takes what anybody writes there for its own, and breaks if it is not.
        headers = message.headers or {}
        return {name: headers.get(f"nameko.{name}") for name in ("correlation_id", deadline.DEADLINE)}


def rpc(contract: RpcMethod) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`@rpc(contract.timeline)`: load the request into the arguments of the method, and dump what it returns."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        if method.__name__ != contract.name:
            raise TypeError(f"{method.__qualname__} is not named as its contract {contract.routing_key}")

        @wraps(method)
        def handle(service: Any, **request: Any) -> Any:
            return contract.dump_response(method(service, **contract.load_request(request)))

        decorated: Callable[..., Any] = Rpc.decorator(contract)(handle)
        return decorated

    return decorate


class _ReplyListener(nameko_rpc.ReplyListener):
    queue_consumer = _QueueConsumer()

    def setup(self) -> None:
        super().setup()
        expires = int(self.container.config.get("REPLY_QUEUE_EXPIRES", REPLY_QUEUE_EXPIRES))
        self.queue.queue_arguments = {"x-expires": expires}

    def forget(self, correlation_id: str) -> None:
        self._reply_events.pop(correlation_id, None)


class Remote:
    """The methods of another service: `remote.call(contract.timeline, 1.5, tenant=…, call_id=…)`."""

    def __init__(self, service: str, publishers: Publishers, listener: _ReplyListener) -> None:
        self._service, self._publishers, self._listener = service, publishers, listener

    def call(self, method: RpcMethod, timeout: float = TIMEOUT, /, **request: Any) -> Any:
        """The response as JSON, checked by the contract; `timeout` is in seconds.

        Raises the ServiceError that the other service raised, and Unavailable if no response arrives in time.
        """
        result = self._result(method, timeout, method.dump_request(request))
        try:
            return method.check_response(result)
        except ValidationError as error:
            logger.exception("malformed response", extra={"method": method.routing_key})
            raise ServiceError(f"{self._service} sent a malformed response.") from error

    def _result(self, method: RpcMethod, timeout: float, kwargs: Json) -> Any:
        asked, timeout = str(uuid4()), min(timeout, deadline.remaining())
        reply = self._listener.get_reply_event(asked)
        try:
            with eventlet.Timeout(timeout):
                self._publishers.publish([self._request(method, kwargs, asked, timeout)])
                body = reply.wait()
        except eventlet.Timeout as error:
            raise Unavailable("service_unavailable", params={"service": self._service}) from error
        finally:
            self._listener.forget(asked)
        if body.get("error"):
            raise rpc_errors.load(body["error"])
        return body["result"]

    def _request(self, method: RpcMethod, kwargs: Json, asked: str, timeout: float) -> Outgoing:
        headers = {f"nameko.{deadline.DEADLINE}": time.time() + timeout, "nameko.correlation_id": logs.correlation_id()}
        properties = TRANSIENT | {"reply_to": self._listener.routing_key, "expiration": str(int(timeout * 1000))}
        body = json.dumps({"args": [], "kwargs": kwargs}, ensure_ascii=False)
        return Outgoing(RPC_EXCHANGE, method.routing_key, body, asked, headers, properties)


def gather(asks: Mapping[str, Callable[[], Any]], timeout: float = TIMEOUT) -> dict[str, Any]:
    """Ask all at once, within one deadline: by name each answer, or the ServiceError that came instead of it.

    `gather({"timeline": partial(calls.timeline, call_id=…), …})["timeline"]`
    """
    until = time.time() + min(timeout, deadline.remaining())

    def ask(one: Callable[[], Any]) -> Any:
        deadline.set_deadline(until)
        try:
            return one()
        except ServiceError as error:
            return error

    asked = {name: eventlet.spawn(copy_context().run, ask, one) for name, one in asks.items()}
    return {name: thread.wait() for name, thread in asked.items()}


class RpcClient(DependencyProvider):
    """`calls = RpcClient("calls")` gives a worker the `Remote` of that service."""

    replies = _ReplyListener()

    def __init__(self, service: str) -> None:
        self.service = service

    def setup(self) -> None:
        self._publishers = Publishers(self.container.config["AMQP_URI"])

    def get_dependency(self, worker_ctx: object) -> Remote:
        return Remote(self.service, self._publishers, self.replies)
