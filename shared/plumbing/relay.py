"""From the outbox to the broker: rows are deleted when, and only when, the broker has confirmed them.

One relay per database works, the others stand by: an advisory lock decides. Rows are read in the order of
their position and deleted by it, so however transactions interleave none is skipped, and each stream
keeps its order (its next writer waits for the commit of the one before).
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
from shared.plumbing.database import CONNECT_OPTIONS, patience
from shared.plumbing.publisher import CONFIRM_TIMEOUT, Outgoing, Publisher

logger = logging.getLogger(__name__)

BATCH, MOST_BYTES = 500, 16 * 1024 * 1024
POLL = 0.2
PACE = 0.01
"""Seconds between two looks: what comes meanwhile goes together."""
HEARTBEAT_EVERY = 1.0
PAUSES = (0.1, 0.5, 1, 2, 5)

LEAD = "select pg_try_advisory_lock(hashtext('relay'))"
NEXT = """
    select position, key, phase, correlation_id, body, created_at
      from (select *, sum(octet_length(body)) over (order by position) - octet_length(body) as ahead
              from outbox order by position limit %(batch)s) as next
     where ahead < %(bytes)s
     order by position
"""
DONE = "delete from outbox where position = any(%(positions)s) returning position"


class Relay(DependencyProvider):
    """Publishes the outbox of `owner` to `<owner>.events`, each event under its type.

    One after which its stream is in a phase goes under that too, by RabbitMQ's header CC: who needs ended calls only is
    spared the rest, and a queue that is bound to both gets it once (https://www.rabbitmq.com/docs/sender-selected).

    An owner of facts has a heartbeat, with the outbox's age, for as long as it listens to all its queues.
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
                    self._lead(conn)
                    while not self._stopping:
                        self._cycle(conn)
                        failures = 0
            except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable) as error:
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                logger.warning("relay pauses", extra={"error": str(error), "seconds": pause})
                eventlet.sleep(pause)

    def _lead(self, conn: psycopg.Connection[Any]) -> None:
        while not self._stopping and self._ask(conn, LEAD) == [(False,)]:
            eventlet.sleep(1)
        conn.execute("listen outbox")

    def _ask(self, conn: psycopg.Connection[Any], query: str, **words: Any) -> list[Any]:
        with patience():
            return conn.execute(query, words).fetchall()

    def _cycle(self, conn: psycopg.Connection[Any]) -> None:
        rows = self._ask(conn, NEXT, batch=BATCH, bytes=MOST_BYTES)
        self._beat(rows[0][-1] if rows else None)
        if rows:
            self._publisher.publish([self._outgoing(*row) for row in rows])
            self._ask(conn, DONE, positions=[position for position, *_ in rows])
        if len(rows) < BATCH:
            eventlet.sleep(PACE if rows else 0)
            for _ in conn.notifies(timeout=POLL, stop_after=1):
                pass

    def _outgoing(self, _: int, key: str, phase: str | None, about: str, body: str, *rest: Any) -> Outgoing:
        return Outgoing(self.exchange, key, body, about, {"CC": [phase]} if phase else None)

    def _beat(self, oldest: datetime | None) -> None:
        if self.owner not in EVENT_SOURCES or monotonic() < self._next_heartbeat:
            return
        self._next_heartbeat, now = monotonic() + HEARTBEAT_EVERY, clock.now()
        age = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
        metrics.OUTBOX_AGE.labels(self.exchange).set(age)
        beat = {"type": "heartbeat", "owner": self.owner, "outbox_age": age, "at": now.isoformat()}
        self._publisher.publish([Outgoing(self.exchange, "heartbeat", json.dumps(beat))], queues_of(self.owner))
