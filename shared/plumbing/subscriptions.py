"""Listening to a queue: batches, acknowledged after their transaction, and nothing lost.

Nameko's own event handler acknowledges a message whose handler failed. This one never does. A batch that
fails is tried in halves, and halves of those, so that one bad message does not hold up its neighbours and
costs two more transactions for each halving, not one for each of them. A message that
fails alone waits in a retry queue, longer each time, and after the last pause is parked in the dead-letter
queue with the reason; one that can never succeed is parked at once. While Postgres or the broker is away
a message waits where it is, at last alone: that is nobody's failure and is not counted.
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
PATIENT_TRIES = 3
"""After so many a batch that a server does not answer is halved: it may be too much for the time that it has."""
RECONNECT_PAUSE = 1.0
CONTENT = ("content_type", "content_encoding")
LOGGED_IDS = 50
RECOVERABLE: tuple[type[Exception], ...] = (*BROKER_ERRORS, Unavailable)


class Message(NamedTuple):
    """One message as a handler sees it: `body` is what its JSON says."""

    body: Any
    key: str
    correlation_id: str


class _Delivery(NamedTuple):
    raw: Any
    message: Message


class Subscription(Entrypoint):
    """`@subscribe("calls.reports", batch=500)`: the method is given lists of `Message`, one transaction each."""

    def __init__(self, queue: str, *, batch: int = 500, linger: float = 0.02, **kwargs: Any) -> None:
        """`linger`: seconds to wait for a batch to fill once its first message is there."""
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
        connection, waiting = connect(self._uri, self._heartbeat), deque[Any]()
        try:
            channel = self._open(connection, waiting)
            logger.info("subscription ready", extra={"queue": self.queue})
            while not self._stopping:
                if batch := self._gather(connection, waiting):
                    self._take(connection, batch)
                    channel.basic_ack(batch[-1].delivery_tag, multiple=True)
        finally:
            connection.collect()

    def _open(self, connection: Connection, waiting: deque[Any]) -> Any:
        with eventlet.Timeout(CONFIRM_TIMEOUT, Unavailable("broker_unavailable")):
            channel = connection.default_channel
            # Whatever the message says of its encoding, its bytes are kept as they came.
            channel.auto_decode = False
            channel.basic_qos(0, self.batch * 2, False)
            channel.basic_consume(self.queue, callback=waiting.append)
            return channel

    def _gather(self, connection: Connection, waiting: deque[Any]) -> list[Any]:
        if not waiting:
            self._drain(connection, 0.5)
        deadline = monotonic() + self.linger
        while waiting and len(waiting) < self.batch and (left := deadline - monotonic()) > 0:
            self._drain(connection, left)
        return [waiting.popleft() for _ in range(min(len(waiting), self.batch))]

    def _drain(self, connection: Connection, seconds: float) -> None:
        connection.heartbeat_check()
        with suppress(TimeoutError):
            connection.drain_events(timeout=seconds)

    def _take(self, connection: Connection, batch: list[Any]) -> None:
        if deliveries := [delivery for raw in batch if (delivery := self._read(raw))]:
            self._try(connection, deliveries)

    def _try(self, connection: Connection, deliveries: list[_Delivery]) -> None:
        error = self._hand_over(connection, deliveries)
        if error and len(deliveries) == 1:
            self._retry_or_dead_letter(deliveries[0], error)
        elif error:
            about = {"queue": self.queue, "messages": len(deliveries), "error": repr(error)}
            logger.warning("batch failed, trying its halves", extra=about)
            middle = len(deliveries) // 2
            self._try(connection, deliveries[:middle])
            self._try(connection, deliveries[middle:])

    def _read(self, raw: Any) -> _Delivery | None:
        try:
            body = orjson.loads(raw.body)
        except ValueError as error:
            self._park(raw, "undecodable", error)
            return None
        about = str(raw.properties.get("correlation_id") or "")
        return _Delivery(raw, Message(body, _key(raw), about))

    def _hand_over(self, connection: Connection, deliveries: list[_Delivery]) -> Exception | None:
        """Let the handler try; None when it is done, else why not. Waits as long as a server is away."""
        failures = 0
        while error := self._work(connection, [delivery.message for delivery in deliveries]):
            pause = OUTAGE_PAUSES[min(failures, len(OUTAGE_PAUSES) - 1)]
            failures += 1
            if not is_outage(error) or (failures >= PATIENT_TRIES and len(deliveries) > 1):
                return error
            logger.warning("waiting for a server", extra={"queue": self.queue, "error": str(error), "seconds": pause})
            self._drain(connection, pause)
            eventlet.sleep(pause)
            if self._stopping:
                raise Unavailable(message="stopped while a server was away")
        about = list(dict.fromkeys(delivery.message.correlation_id for delivery in deliveries))[:LOGGED_IDS]
        metrics.TAKEN.labels(self.queue).inc(len(deliveries))
        logger.info("taken", extra={"queue": self.queue, "messages": len(deliveries), "correlation_ids": about})
        return None

    def _work(self, connection: Connection, messages: list[Message]) -> Exception | None:
        done = Done()
        about = {"correlation_id": messages[0].correlation_id}
        finish = partial(self._finish, done)
        try:
            self.container.spawn_worker(self, (messages,), {}, context_data=about, handle_result=finish)
        except ContainerBeingKilled as error:
            raise Unavailable(message="stopping") from error
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
            self._park(delivery.raw, reason, error)
            return
        headers = {ORIGINAL_KEY: _key(delivery.raw), ATTEMPTS: attempts + 1}
        self._put(delivery.raw, retry(self._pauses[attempts - 1]), headers)
        about = {"queue": self.queue, "error": repr(error), "attempt": attempts}
        logger.warning("message will be retried", extra=about, exc_info=None if isinstance(error, Conflict) else error)

    def _park(self, raw: Any, reason: str, error: Exception) -> None:
        parked = {
            "x-dead-id": str(uuid4()),
            "x-reason": reason,
            "x-error": f"{type(error).__name__}: {error}"[:2000],
            "x-parked-at": clock.now().isoformat(),
            ORIGINAL_KEY: _key(raw),
            ATTEMPTS: _attempts(raw),
        }
        self._put(raw, DEAD_EXCHANGE, parked)
        metrics.PARKED.labels(self.queue, reason).inc()
        logger.error("message parked", extra={"queue": self.queue, "reason": reason, "error": str(error)})

    def _put(self, raw: Any, exchange: str, headers: dict[str, Any]) -> None:
        about = str(raw.properties.get("correlation_id") or "")
        properties = {name: raw.properties[name] for name in CONTENT if name in raw.properties}
        self._publisher.publish([Outgoing(exchange, self.queue, raw.body, about, headers, properties)])


def _key(raw: Any) -> str:
    """The routing key that it was published with; it comes back from a retry queue with the name of its own."""
    return str((raw.headers or {}).get(ORIGINAL_KEY) or raw.delivery_info["routing_key"])


def _attempts(raw: Any) -> int:
    counted = (raw.headers or {}).get(ATTEMPTS, 1)
    return counted if isinstance(counted, int) and counted > 0 else 1


subscribe: Callable[..., Any] = Subscription.decorator
