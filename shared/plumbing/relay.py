"""Publish the outbox: rows are deleted only after the broker has confirmed them.

One relay per database is active, chosen by an advisory lock; the others are on standby. Rows are read in order of
their position and deleted by it, so none is skipped however transactions interleave, and each stream keeps its order
(its next writer waits for the previous commit).
"""

import json
import logging
from datetime import datetime
from time import monotonic
from typing import Any

import eventlet
import psycopg
from nameko.extensions import DependencyProvider

from shared.contracts.errors import Unavailable
from shared.contracts.topology import EVENT_SOURCES, queues_of
from shared.plumbing import clock, metrics
from shared.plumbing.database import CONNECT_OPTIONS, timeout
from shared.plumbing.publisher import CONFIRM_TIMEOUT, Outgoing, Publisher

logger = logging.getLogger(__name__)

MAX_MESSAGES_PER_BATCH, MAX_BYTES_PER_BATCH = 500, 16 * 1024 * 1024
POLL_INTERVAL = 0.2
BATCH_INTERVAL = 0.01
"""Seconds between two batches, during which messages accumulate."""
HEARTBEAT_EVERY = 1.0
PAUSES = (0.1, 0.5, 1, 2, 5)

TRY_LEADERSHIP = "select pg_try_advisory_lock(hashtext('relay'))"
SELECT_NEXT = """
    select position, key, phase, correlation_id, body, created_at
      from (select *, sum(octet_length(body)) over (order by position) - octet_length(body) as ahead
              from outbox order by position limit %(batch)s) as next
     where ahead < %(bytes)s
     order by position
"""
DELETE_CONFIRMED = "delete from outbox where position = any(%(positions)s) returning position"


class Relay(DependencyProvider):
    """Publishes the outbox of `owner` to `<owner>.events`, each event under its type.

    An event whose stream has a phase is also published under that phase, by RabbitMQ's CC header, so that a consumer
    can subscribe to ended calls only; a queue bound to both keys gets the event once
    (https://www.rabbitmq.com/docs/sender-selected).

    An event source publishes a heartbeat with the age of its outbox, as long as all its queues have consumers.
    """

    def __init__(self, owner: str) -> None:
        self.owner, self.exchange = owner, f"{owner}.events"

    def setup(self) -> None:
        config = self.container.config
        self._publisher = Publisher(config["AMQP_URI"], float(config.get("CONFIRM_TIMEOUT", CONFIRM_TIMEOUT)))
        self._stopping, self._next_heartbeat = False, 0.0

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        self._stopping = True
        self._thread.wait()
        self._publisher.close()

    def get_dependency(self, worker_ctx: object) -> None:
        return None

    def _run(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                with psycopg.connect(self.container.config["DATABASE_URL"], autocommit=True, **CONNECT_OPTIONS) as conn:
                    self._wait_for_leadership(conn)
                    while not self._stopping:
                        self._cycle(conn)
                        failures = 0
            except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable) as error:
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                logger.warning("relay failed, will retry", extra={"error": str(error), "seconds": pause})
                eventlet.sleep(pause)

    def _wait_for_leadership(self, conn: psycopg.Connection[Any]) -> None:
        while not self._stopping and self._query(conn, TRY_LEADERSHIP) == [(False,)]:
            eventlet.sleep(1)
        conn.execute("listen outbox")

    def _query(self, conn: psycopg.Connection[Any], query: str, **parameters: Any) -> list[Any]:
        with timeout():
            return conn.execute(query, parameters).fetchall()

    def _cycle(self, conn: psycopg.Connection[Any]) -> None:
        rows = self._query(conn, SELECT_NEXT, batch=MAX_MESSAGES_PER_BATCH, bytes=MAX_BYTES_PER_BATCH)
        self._publish_heartbeat(rows[0][-1] if rows else None)
        if rows:
            self._publisher.publish([self._outgoing(*row) for row in rows])
            self._query(conn, DELETE_CONFIRMED, positions=[position for position, *_ in rows])
        if len(rows) < MAX_MESSAGES_PER_BATCH:
            eventlet.sleep(BATCH_INTERVAL if rows else 0)
            for _ in conn.notifies(timeout=POLL_INTERVAL, stop_after=1):
                pass

    def _outgoing(self, _: int, key: str, phase: str | None, correlation_id: str, body: str, *rest: Any) -> Outgoing:
        return Outgoing(self.exchange, key, body, correlation_id, {"CC": [phase]} if phase else None)

    def _publish_heartbeat(self, oldest: datetime | None) -> None:
        if self.owner not in EVENT_SOURCES or monotonic() < self._next_heartbeat:
            return
        self._next_heartbeat, now = monotonic() + HEARTBEAT_EVERY, clock.now()
        age = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
        metrics.OUTBOX_AGE.labels(self.exchange).set(age)
        heartbeat = {"type": "heartbeat", "owner": self.owner, "outbox_age": age, "at": now.isoformat()}
        self._publisher.publish([Outgoing(self.exchange, "heartbeat", json.dumps(heartbeat))], queues_of(self.owner))
