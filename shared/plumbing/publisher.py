"""Publishing with pipelined confirms: many messages out, one wait for the broker's word on all of them."""

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
"""All that a broker which goes away, pauses or refuses can raise."""
CORK = socket.IPPROTO_TCP, socket.TCP_CORK
PERSISTENT = 2
USUALLY = {"content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": PERSISTENT}
CONNECT_TIMEOUT = 3.0
CONFIRM_TIMEOUT = 10.0
HEARTBEAT = 30
SLICE = 500
"""Messages between two waits for confirms."""


def tls(uri: str) -> dict[str, Any] | None:
    """What a broker at amqps:// must show: a certificate for the host in the URI, signed by who is in the file AMQP_CA.

    Without AMQP_CA the machine's own authorities are trusted. None for amqp://.
    """
    # Without `server_hostname` py-amqp takes any certificate for any host; None stands for the host in the URI.
    own = {"ca_certs": os.environ["AMQP_CA"]} if os.environ.get("AMQP_CA") else {}
    return {"server_hostname": None, **own} if uri.startswith("amqps:") else None


def connect(uri: str, heartbeat: float = HEARTBEAT) -> Connection:
    """An open connection, after one attempt. To be left with `collect()`: a dead broker never answers a goodbye."""
    connection = Connection(uri, ssl=tls(uri), connect_timeout=CONNECT_TIMEOUT, heartbeat=heartbeat)
    connection.ensure_connection(max_retries=0)
    return connection


class Outgoing(NamedTuple):
    """A message to publish; `body` is JSON text, or bytes that are passed on as they came."""

    exchange: str
    key: str
    body: str | bytes
    correlation_id: str = ""
    headers: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None


class Publisher:
    """One channel of its own. Not for use by two greenthreads at once; see `Publishers`."""

    def __init__(self, uri: str, timeout: float = CONFIRM_TIMEOUT) -> None:
        """`timeout`: seconds within which the broker must have confirmed a whole batch."""
        self._uri, self._timeout = uri, timeout
        self._connection: Connection | None = None

    def publish(self, messages: Sequence[Outgoing], require_consumers: Sequence[str] = ()) -> None:
        """Return when the broker has taken responsibility for every message.

        Publishes nothing while one of the queues `require_consumers` has no consumer. Raises Unavailable when the
        broker has not confirmed every message: then any message may have arrived, none is certain.
        """
        try:
            with eventlet.Timeout(self._timeout):
                self._close_if_dead()
                if self._connection is None:
                    self._open()
                if all(map(self._has_consumers, require_consumers)):
                    for start in range(0, len(messages), SLICE):
                        self._publish(messages[start : start + SLICE])
        except BaseException as error:
            # Interrupted between a publish and its confirm: the counts of this channel are worth nothing now.
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
        """A broker that restarted, or missed our heartbeats while there was nothing to publish, has hung up."""
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
        # Asked for later, py-amqp connects again where the line is gone.
        self._line = connection.connection.transport.sock
        self._connection, self._channel, self._sent, self._acked = connection, channel, 0, set[int]()
        self._confirmed_to = 0
        self._trouble: str | None = None

    def _publish(self, messages: Sequence[Outgoing]) -> None:
        self._trouble = None
        assert self._connection is not None
        # One packet for each message would wake the broker as often: that was half its work. An error closes the line.
        self._line.setsockopt(*CORK, True)
        # A line that takes all that it is given never waits.
        for one in cooperatively(messages):
            self._channel.basic_publish(_message(one), one.exchange, one.key, mandatory=True)
        self._line.setsockopt(*CORK, False)
        self._sent += len(messages)
        while self._confirmed_to + len(self._acked) < self._sent:
            self._connection.drain_events(timeout=self._timeout)
        if self._trouble:
            self.close()
            raise Unavailable("broker_unavailable", message=self._trouble)

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
        self._trouble = "The message broker refused a message."

    def _returned(self, exception: Exception, exchange: str, key: str, message: Message) -> None:
        logger.error("nobody listens", extra={"exchange": exchange, "routing_key": key})
        self._trouble = f"No queue takes messages from {exchange} with the key {key}."


def _message(one: Outgoing) -> Message:
    # A lone surrogate, which UTF-8 does not have, becomes the escape by which JSON can say it.
    body = one.body if isinstance(one.body, bytes) else one.body.encode("utf-8", "backslashreplace")
    properties = {**USUALLY, "correlation_id": one.correlation_id, **(one.properties or {})}
    return Message(body, application_headers=one.headers or {}, **properties)


class Publishers:
    """A few publishers for many greenthreads."""

    def __init__(self, uri: str, size: int = 4, timeout: float = 2.5) -> None:
        self._timeout = timeout
        self._idle: LifoQueue[Publisher] = LifoQueue()
        for _ in range(size):
            self._idle.put(Publisher(uri, timeout))

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """As Publisher.publish; raises Unavailable too when all publishers stay busy for too long."""
        try:
            publisher = self._idle.get(timeout=self._timeout)
        except Empty as error:
            raise Unavailable("broker_unavailable") from error
        try:
            publisher.publish(messages)
        finally:
            self._idle.put(publisher)
