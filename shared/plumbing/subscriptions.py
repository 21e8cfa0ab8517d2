"""Consume a queue in batches, acknowledged after their transaction.

Nameko's event handler acknowledges a message whose handler failed; this one never does. A batch that fails is
split into halves, recursively, so that one bad message does not block its neighbours and costs two transactions per
split. A message that fails alone waits in a retry queue, longer each time, and after the last retry goes to the
dead-letter queue with the reason; a message that can never succeed goes there at once. While Postgres or the
broker is unavailable, messages wait in the queue, and the attempt is not counted.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, NamedTuple
from uuid import uuid4

import eventlet
import orjson
from eventlet.event import Event as Done
from kombu import Connection
from marshmallow import ValidationError
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from shared.contracts.errors import Conflict, Invalid, Rejected, ServiceError, Unavailable
from shared.contracts.topology import DEAD_EXCHANGE, RETRY_PAUSES, retry
from shared.plumbing import clock, metrics
from shared.plumbing.database import is_outage
from shared.plumbing.publisher import BROKER_ERRORS, CONFIRM_TIMEOUT, Outgoing, Publisher, connect

logger = logging.getLogger(__name__)

ATTEMPTS, ORIGINAL_KEY = "x-attempts", "x-original-key"
PERMANENT = (Invalid, Rejected, ValidationError)
OUTAGE_PAUSES = (0.1, 0.2, 0.5, 1, 2)
OUTAGES_BEFORE_SPLIT = 3
"""Outages after which a batch is split: it may be too large for the timeout."""
RECONNECT_PAUSE = 1.0
CONTENT = ("content_type", "content_encoding")
MAX_LOGGED_IDS = 50
RECOVERABLE: tuple[type[Exception], ...] = (*BROKER_ERRORS, Unavailable)


class Message(NamedTuple):
    """One message for a handler; `body` is the parsed JSON."""

    body: Any
    key: str
    correlation_id: str


class _Delivery(NamedTuple):
    raw: Any
    message: Message


class Subscription(Entrypoint):
    """`@subscribe("calls.reports", batch=500)`: the method gets lists of `Message`, one transaction each."""

    def __init__(self, queue: str, *, batch: int = 500, linger: float = 0.02, **kwargs: Any) -> None:
        """`linger`: seconds to wait for more messages after the first one of a batch."""
        self.queue, self.batch, self.linger = queue, batch, linger
        super().__init__(**kwargs)

    def setup(self) -> None:
        self._uri, self._heartbeat = self.container.config["AMQP_URI"], self.container.config["HEARTBEAT"]
        self._pauses: Sequence[float] = self.container.config.get("RETRY_PAUSES", RETRY_PAUSES)
        self._publisher = Publisher(self._uri)
        self._stopping = False

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier=f"subscription {self.queue}")

    def stop(self) -> None:
        self._stopping = True
        self._thread.wait()
        self._publisher.close()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._consume()
            except RECOVERABLE as error:
                if not self._stopping:
                    logger.warning("subscription lost", extra={"queue": self.queue, "error": str(error)})
                    eventlet.sleep(RECONNECT_PAUSE)

    def _consume(self) -> None:
        connection, buffer = connect(self._uri, self._heartbeat), deque[Any]()
        try:
            channel = self._open(connection, buffer)
            logger.info("subscription ready", extra={"queue": self.queue})
            while not self._stopping:
                if batch := self._gather(connection, buffer):
                    self._process(connection, batch)
                    channel.basic_ack(batch[-1].delivery_tag, multiple=True)
        finally:
            connection.collect()

    def _open(self, connection: Connection, buffer: deque[Any]) -> Any:
        with eventlet.Timeout(CONFIRM_TIMEOUT, Unavailable("broker_unavailable")):
            channel = connection.default_channel
            # The bytes are kept unchanged, whatever encoding the message declares.
            channel.auto_decode = False
            channel.basic_qos(0, self.batch * 2, False)
            channel.basic_consume(self.queue, callback=buffer.append)
            return channel

    def _gather(self, connection: Connection, buffer: deque[Any]) -> list[Any]:
        if not buffer:
            self._drain(connection, 0.5)
        deadline = monotonic() + self.linger
        while buffer and len(buffer) < self.batch and (left := deadline - monotonic()) > 0:
            self._drain(connection, left)
        return [buffer.popleft() for _ in range(min(len(buffer), self.batch))]

    def _drain(self, connection: Connection, seconds: float) -> None:
        connection.heartbeat_check()
        with suppress(TimeoutError):
            connection.drain_events(timeout=seconds)

    def _process(self, connection: Connection, batch: list[Any]) -> None:
        if deliveries := [delivery for raw in batch if (delivery := self._read(raw))]:
            self._process_or_split(connection, deliveries)

    def _process_or_split(self, connection: Connection, deliveries: list[_Delivery]) -> None:
        error = self._run_handler(connection, deliveries)
        if error and len(deliveries) == 1:
            self._retry_or_dead_letter(deliveries[0], error)
        elif error:
            fields = {"queue": self.queue, "messages": len(deliveries), "error": repr(error)}
            logger.warning("batch failed, splitting it", extra=fields)
            middle = len(deliveries) // 2
            self._process_or_split(connection, deliveries[:middle])
            self._process_or_split(connection, deliveries[middle:])

    def _read(self, raw: Any) -> _Delivery | None:
        try:
            body = orjson.loads(raw.body)
        except ValueError as error:
            self._dead_letter(raw, "undecodable", error)
            return None
        correlation_id = str(raw.properties.get("correlation_id") or "")
        return _Delivery(raw, Message(body, _key(raw), correlation_id))

    def _run_handler(self, connection: Connection, deliveries: list[_Delivery]) -> Exception | None:
        """Run the handler; return its error, or None. Retries while a server is unavailable."""
        failures = 0
        while error := self._run_worker(connection, [delivery.message for delivery in deliveries]):
            pause = OUTAGE_PAUSES[min(failures, len(OUTAGE_PAUSES) - 1)]
            failures += 1
            if not is_outage(error) or (failures >= OUTAGES_BEFORE_SPLIT and len(deliveries) > 1):
                return error
            logger.warning("waiting for a server", extra={"queue": self.queue, "error": str(error), "seconds": pause})
            self._drain(connection, pause)
            eventlet.sleep(pause)
            if self._stopping:
                raise Unavailable(message="Stopped while a server was unavailable.")
        correlation_ids = [*dict.fromkeys(delivery.message.correlation_id for delivery in deliveries)]
        metrics.PROCESSED.labels(self.queue).inc(len(deliveries))
        logger.info(
            "messages processed",
            extra={
                "queue": self.queue,
                "messages": len(deliveries),
                "correlation_ids": correlation_ids[:MAX_LOGGED_IDS],
            },
        )
        return None

    def _run_worker(self, connection: Connection, messages: list[Message]) -> Exception | None:
        done = Done()
        fields = {"correlation_id": messages[0].correlation_id}
        finish = partial(self._finish, done)
        try:
            self.container.spawn_worker(self, (messages,), {}, context_data=fields, handle_result=finish)
        except ContainerBeingKilled as error:
            raise Unavailable(message="Stopping.") from error
        while not done.ready():
            with eventlet.Timeout(self._heartbeat / 4, False):
                done.wait()
                break
            self._drain(connection, 0.01)
        failed: Exception | None = done.wait()
        return failed

    def _finish(self, done: Any, context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        done.send(exc_info[1] if exc_info else None)
        return result, exc_info

    def _retry_or_dead_letter(self, delivery: _Delivery, error: Exception) -> None:
        attempts = _attempts(delivery.raw)
        if isinstance(error, PERMANENT) or attempts > len(self._pauses):
            reason = type(error).__name__.lower() if isinstance(error, ServiceError | ValidationError) else "failed"
            self._dead_letter(delivery.raw, reason, error)
            return
        headers = {ORIGINAL_KEY: _key(delivery.raw), ATTEMPTS: attempts + 1}
        self._republish(delivery.raw, retry(self._pauses[attempts - 1]), headers)
        fields = {"queue": self.queue, "error": repr(error), "attempt": attempts}
        logger.warning("message will be retried", extra=fields, exc_info=None if isinstance(error, Conflict) else error)

    def _dead_letter(self, raw: Any, reason: str, error: Exception) -> None:
        headers = {
            "x-dead-id": str(uuid4()),
            "x-reason": reason,
            "x-error": f"{type(error).__name__}: {error}"[:2000],
            "x-parked-at": clock.now().isoformat(),
            ORIGINAL_KEY: _key(raw),
            ATTEMPTS: _attempts(raw),
        }
        self._republish(raw, DEAD_EXCHANGE, headers)
        metrics.DEAD_LETTERED.labels(self.queue, reason).inc()
        logger.error("message dead-lettered", extra={"queue": self.queue, "reason": reason, "error": str(error)})

    def _republish(self, raw: Any, exchange: str, headers: dict[str, Any]) -> None:
        correlation_id = str(raw.properties.get("correlation_id") or "")
        properties = {name: raw.properties[name] for name in CONTENT if name in raw.properties}
        self._publisher.publish([Outgoing(exchange, self.queue, raw.body, correlation_id, headers, properties)])


def _key(raw: Any) -> str:
    """The routing key of the original publish; a retry queue returns messages under another key."""
    return str((raw.headers or {}).get(ORIGINAL_KEY) or raw.delivery_info["routing_key"])


def _attempts(raw: Any) -> int:
    attempts = (raw.headers or {}).get(ATTEMPTS, 1)
    return attempts if isinstance(attempts, int) and attempts > 0 else 1


subscribe: Callable[..., Any] = Subscription.decorator
