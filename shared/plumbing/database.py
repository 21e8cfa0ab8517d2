"""One pool of Postgres connections per service, safe under eventlet."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from select import POLLIN, POLLOUT
from time import monotonic
from typing import Any

import eventlet
import orjson
import psycopg
import psycopg_pool
from eventlet import patcher
from eventlet.hubs import trampoline
from nameko.extensions import DependencyProvider
from psycopg import waiting
from psycopg.waiting import READY_R, READY_W, WAIT_R, WAIT_RW, WAIT_W

from shared.contracts.errors import Unavailable
from shared.plumbing import deadline

_poller = patcher.original("select").poll
EVENTS = {WAIT_R: POLLIN, WAIT_W: POLLOUT, WAIT_RW: POLLIN | POLLOUT}


def _wait(gen: Any, fileno: int, interval: float = 0.0, timeout: float | None = None) -> Any:
    """Wait like psycopg's `wait_select`, at half its cost under eventlet; psycopg's C wait blocks the event loop."""
    poller, deadline = _poller(), monotonic() + (math.inf if timeout is None else timeout)
    try:
        wanted = next(gen)
        while True:
            poller.register(fileno, EVENTS[wanted])
            left = min(interval, max(deadline - monotonic(), 0.0))
            wanted = gen.send(_ready(poller) or _wait_until_ready(fileno, wanted & WAIT_R or wanted, left))
            # Checked last, so that data that has already arrived is read even if the time is over.
            if monotonic() >= deadline:
                raise psycopg.errors._WaitTimeout("wait timeout expired")
    except OSError as error:
        raise psycopg.OperationalError("the connection's socket was closed") from error
    except StopIteration as ended:
        return ended.value


def _ready(poller: Any) -> int:
    events = sum(event for _, event in poller.poll(0))
    return (READY_R if events & ~POLLOUT else 0) | (READY_W if events & POLLOUT else 0)


def _wait_until_ready(fileno: int, wanted: int, seconds: float) -> int:
    with eventlet.Timeout(seconds, False):
        trampoline(fileno, read=wanted == WAIT_R, write=wanted == WAIT_W)
        return wanted
    return 0


# psycopg detects gevent, but not eventlet.
waiting.wait = _wait

WAIT_FOR_CONNECTION = 1.5
"""Seconds to wait for a connection; a client then gets its error within two seconds."""
DEFAULT_TIMEOUT = 15.0
"""Seconds after which a silent server is given up; longer than any statement timeout."""
REPLY_MARGIN = 1.2
"""Seconds of the caller's deadline that are reserved for sending the error."""
CONNECT_OPTIONS: dict[str, Any] = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
"""Options by which a connection detects a dead peer."""
TRUSTED_IDLE_TIME = 1.0
"""Seconds since its last use for which a connection is used without a check."""
OUTAGE_STATES = ("08", "57P", "53", "40", "55P03")
"""SQLSTATE classes of a server that is unreachable, shutting down or out of resources, and of lost lock conflicts."""


def as_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON for `json_to_recordset`."""
    return orjson.dumps(rows).decode()


def timeout(seconds: float = DEFAULT_TIMEOUT) -> eventlet.Timeout:
    """For a `with` block: raises Unavailable after `seconds`, or earlier if the caller's deadline requires it."""
    # The server ends an abandoned statement within a second (ops/stack/postgres.sql).
    remaining = deadline.remaining()
    limit = min(seconds, max(remaining - REPLY_MARGIN, remaining / 2, 0))
    return eventlet.Timeout(limit, Unavailable("database_unavailable"))


class Connection(psycopg.Connection[Any]):
    """A connection with the time of its last use, and whether its transaction wrote to the outbox."""

    used_at, outbox_filled = -math.inf, False


def is_outage(error: BaseException) -> bool:
    """True if the server is the cause, not the statement: the same statement may succeed later."""
    if isinstance(error, psycopg_pool.PoolTimeout | Unavailable):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(OUTAGE_STATES)


def _check(conn: Connection) -> None:
    poller = _poller()
    poller.register(conn.pgconn.socket, POLLIN)
    # A connection that the server closed is readable.
    if monotonic() - conn.used_at > TRUSTED_IDLE_TIME or poller.poll(0):
        psycopg_pool.ConnectionPool.check_connection(conn)


class Postgres:
    """A connection pool. `connection()` is one transaction, committed at its end; `autocommit()` is none."""

    def __init__(self, url: str, size: int) -> None:
        self._pool = psycopg_pool.ConnectionPool(
            url,
            kwargs={**CONNECT_OPTIONS, "autocommit": True},
            connection_class=Connection,
            min_size=1,
            max_size=size,
            timeout=WAIT_FOR_CONNECTION,
            reconnect_timeout=5,
            check=_check,
            open=False,
        )

    def open(self) -> None:
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self, seconds: float = DEFAULT_TIMEOUT) -> Iterator[Connection]:
        """Open a transaction. Raises Unavailable if Postgres does not answer in time or the block exceeds `seconds`."""
        with self.autocommit(seconds) as conn:
            conn.outbox_filled = False
            with conn.transaction():
                yield conn
            if conn.outbox_filled:
                self._wake_relay(conn)

    @contextmanager
    def long_transaction(self) -> Iterator[Connection]:
        """Like `connection`, for background work and large sums: a statement may take 10 s instead of 2 s."""
        with self.connection() as conn:
            conn.execute("set local statement_timeout = '10s'")
            yield conn

    @contextmanager
    def autocommit(self, seconds: float = DEFAULT_TIMEOUT) -> Iterator[Connection]:
        """For reads: every statement is its own transaction, which saves two round trips."""
        try:
            # The pool limits its own wait, but not its check of the connection.
            with timeout(WAIT_FOR_CONNECTION):
                leased = self._pool.getconn()
        except psycopg_pool.PoolTimeout as error:
            raise Unavailable("database_unavailable") from error
        try:
            with timeout(seconds):
                yield leased
            leased.used_at = monotonic()
        finally:
            self._pool.putconn(leased)

    def _wake_relay(self, conn: Connection) -> None:
        # After the transaction, because NOTIFY takes a database-wide lock at commit. Errors are ignored, because the
        # transaction is already committed and the relay polls anyway.
        with suppress(psycopg.Error, Unavailable), timeout():
            conn.execute("notify outbox")


class Database(DependencyProvider):
    """The service's pool, of at most `DATABASE_POOL` connections (10)."""

    def setup(self) -> None:
        size = int(self.container.config.get("DATABASE_POOL", 10))
        self.postgres = Postgres(self.container.config["DATABASE_URL"], size)

    def start(self) -> None:
        self.postgres.open()

    def stop(self) -> None:
        self.postgres.close()

    def get_dependency(self, worker_ctx: object) -> Postgres:
        return self.postgres
