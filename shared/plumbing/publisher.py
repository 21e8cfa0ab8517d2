"""Publish messages in batches, with one wait for the broker's confirms per batch."""

import logging
import os
import socket
from collections.abc import Sequence
from queue import Empty, LifoQueue
from typing import Any, NamedTuple

import eventlet
from amqp.basic_message import Message
from amqp.exceptions import AMQPError, NotFound
from kombu import Connection
from kombu.exceptions import OperationalError

from shared.contracts.errors import Unavailable
from shared.plumbing.cooperative import cooperatively

logger = logging.getLogger(__name__)

BROKER_ERRORS: tuple[type[Exception], ...] = (OSError, AMQPError, OperationalError)
"""All errors that a broker which stops, pauses or refuses can cause."""
CORK = socket.IPPROTO_TCP, socket.TCP_CORK
PERSISTENT = 2
DEFAULT_PROPERTIES = {"content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": PERSISTENT}
CONNECT_TIMEOUT = 3.0
CONFIRM_TIMEOUT = 10.0
HEARTBEAT = 30
MAX_UNCONFIRMED = 500
"""Messages published before waiting for confirms."""


def tls(uri: str) -> dict[str, Any] | None:
    """TLS options for amqps://: the certificate must match the host in the URI and be signed by AMQP_CA (a file).

    Without AMQP_CA, the authorities of the system are trusted. None for amqp://.
    """
    # Without `server_hostname`, py-amqp accepts any certificate for any host; None means the host in the URI.
    options = {"ca_certs": os.environ["AMQP_CA"]} if os.environ.get("AMQP_CA") else {}
    return {"server_hostname": None, **options} if uri.startswith("amqps:") else None


def connect(uri: str, heartbeat: float = HEARTBEAT) -> Connection:
    """Connect once, without retries. Close it with `collect()`: `close()` waits for an answer of a dead broker."""
    connection = Connection(uri, ssl=tls(uri), connect_timeout=CONNECT_TIMEOUT, heartbeat=heartbeat)
    connection.ensure_connection(max_retries=0)
    return connection


class Outgoing(NamedTuple):
    """A message to publish; `body` is JSON text, or bytes that are passed on unchanged."""

    exchange: str
    key: str
    body: str | bytes
    correlation_id: str = ""
    headers: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None


class Publisher:
    """A connection with one channel. Not for concurrent use by several greenthreads; see `Publishers`."""

    def __init__(self, uri: str, timeout: float = CONFIRM_TIMEOUT) -> None:
        """`timeout`: seconds within which the broker must confirm a batch."""
        self._uri, self._timeout = uri, timeout
        self._connection: Connection | None = None

    def publish(self, messages: Sequence[Outgoing], require_consumers: Sequence[str] = ()) -> None:
        """Return once the broker has confirmed every message.

        Publishes nothing while one of the queues `require_consumers` has no consumer. Raises Unavailable when the
        broker has not confirmed every message: then any message may have arrived, none is certain.
        """
        try:
            with eventlet.Timeout(self._timeout):
                self._close_if_dead()
                if self._connection is None:
                    self._open()
                if all(map(self._has_consumers, require_consumers)):
                    for start in range(0, len(messages), MAX_UNCONFIRMED):
                        self._publish(messages[start : start + MAX_UNCONFIRMED])
        except BaseException as error:
            # An interruption between publish and confirm leaves wrong counts, so the channel is not used again.
            self.close()
            if not isinstance(error, (eventlet.Timeout, *BROKER_ERRORS)):
                raise
            logger.warning("publishing failed", extra={"error": repr(error)})
            raise Unavailable("broker_unavailable") from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()

    def _has_consumers(self, queue: str) -> bool:
        try:
            return bool(self._channel.queue_declare(queue, passive=True).consumer_count)
        except NotFound:
            self.close()
            return False

    def _close_if_dead(self) -> None:
        """Close a connection that the broker closed while nothing was published."""
        if self._connection is None:
            return
        try:
            self._connection.heartbeat_check()
            self._connection.drain_events(timeout=0)
        except TimeoutError:
            pass
        except BROKER_ERRORS:
            self.close()

    def _open(self) -> None:
        connection = connect(self._uri)
        channel = connection.default_channel
        channel.confirm_select()
        channel.events["basic_ack"].add(self._confirmed)
        channel.events["basic_nack"].add(self._refused)
        channel.events["basic_return"].add(self._returned)
        # Stored now, because py-amqp reconnects when this attribute is read on a closed connection.
        self._socket = connection.connection.transport.sock
        self._connection, self._channel, self._sent, self._acked = connection, channel, 0, set[int]()
        self._confirmed_to = 0
        self._failure: str | None = None

    def _publish(self, messages: Sequence[Outgoing]) -> None:
        self._failure = None
        assert self._connection is not None
        # TCP_CORK sends full packets: one packet per message was half of the broker's work.
        self._socket.setsockopt(*CORK, True)
        # A socket with free buffer space never yields to other greenthreads.
        for outgoing in cooperatively(messages):
            message = _message(outgoing)
            self._channel.basic_publish(message, outgoing.exchange, outgoing.key, mandatory=True)
        self._socket.setsockopt(*CORK, False)
        self._sent += len(messages)
        while self._confirmed_to + len(self._acked) < self._sent:
            self._connection.drain_events(timeout=self._timeout)
        if self._failure:
            self.close()
            raise Unavailable("broker_unavailable", message=self._failure)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._acked = {other for other in self._acked if other > tag}
            self._confirmed_to = max(self._confirmed_to, tag)
        elif tag > self._confirmed_to:
            self._acked.add(tag)
        while self._confirmed_to + 1 in self._acked:
            self._confirmed_to += 1
            self._acked.remove(self._confirmed_to)

    def _refused(self, tag: int, multiple: bool) -> None:
        self._confirmed(tag, multiple)
        self._failure = "The message broker refused a message."

    def _returned(self, exception: Exception, exchange: str, key: str, message: Message) -> None:
        logger.error("message returned, no queue is bound", extra={"exchange": exchange, "routing_key": key})
        self._failure = f"No queue is bound to exchange {exchange} for the routing key {key}."


def _message(outgoing: Outgoing) -> Message:
    # Lone surrogates are invalid in UTF-8; written as escapes they are valid JSON.
    body = outgoing.body if isinstance(outgoing.body, bytes) else outgoing.body.encode("utf-8", "backslashreplace")
    properties = {**DEFAULT_PROPERTIES, "correlation_id": outgoing.correlation_id, **(outgoing.properties or {})}
    return Message(body, application_headers=outgoing.headers or {}, **properties)


class Publishers:
    """A pool of publishers for many greenthreads."""

    def __init__(self, uri: str, size: int = 4, timeout: float = 2.5) -> None:
        self._timeout = timeout
        self._idle: LifoQueue[Publisher] = LifoQueue()
        for _ in range(size):
            self._idle.put(Publisher(uri, timeout))

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Like Publisher.publish; also raises Unavailable if all publishers stay busy for too long."""
        try:
            publisher = self._idle.get(timeout=self._timeout)
        except Empty as error:
            raise Unavailable("broker_unavailable") from error
        try:
            publisher.publish(messages)
        finally:
            self._idle.put(publisher)

    def close(self) -> None:
        """Close the connections that are not in use."""
        while not self._idle.empty():
            self._idle.get().close()
