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
    """As psycopg's `wait_select`, which costs twice as much under eventlet; its C wait blocks the whole hub."""
    poller, deadline = _poller(), monotonic() + (math.inf if timeout is None else timeout)
    try:
        wanted = next(gen)
        while True:
            poller.register(fileno, EVENTS[wanted])
            left = min(interval, max(deadline - monotonic(), 0.0))
            wanted = gen.send(_ready(poller) or _ready_later(fileno, wanted & WAIT_R or wanted, left))
            # Only now: what is there already is read, even if there is no time left.
            if monotonic() >= deadline:
                raise psycopg.errors._WaitTimeout("wait timeout expired")
    except OSError as error:
        raise psycopg.OperationalError("the connection's socket was closed") from error
    except StopIteration as ended:
        return ended.value


def _ready(poller: Any) -> int:
    events = sum(event for _, event in poller.poll(0))
    return (READY_R if events & ~POLLOUT else 0) | (READY_W if events & POLLOUT else 0)


def _ready_later(fileno: int, wanted: int, seconds: float) -> int:
    with eventlet.Timeout(seconds, False):
        trampoline(fileno, read=wanted == WAIT_R, write=wanted == WAIT_W)
        return wanted
    return 0


# psycopg notices gevent only.
waiting.wait = _wait

WAIT_FOR_CONNECTION = 1.5
"""Seconds: whoever asks is told within two that the database is away."""
PATIENCE = 15.0
"""Seconds after which a server that does not answer is given up; more than any statement may take."""
REPLY_MARGIN = 1.2
"""Seconds of a caller's time that are kept for telling it that the database does not answer."""
CONNECT_OPTIONS: dict[str, Any] = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
"""How connections notice that the line is dead."""
FRESH = 1.0
"""Seconds after its last use for which a connection is taken to be alive without being asked."""
OUTAGE_STATES = ("08", "57P", "53", "40", "55P03")
"""SQLSTATE classes of a server that is away, shutting down or out of resources, and of losing to another's lock."""


def as_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the JSON that `json_to_recordset` takes."""
    return orjson.dumps(rows).decode()


def patience(seconds: float = PATIENCE) -> eventlet.Timeout:
    """In a `with`: raises Unavailable when the block takes longer, or so long that whoever waits could not be told."""
    # The server goes on with what is cut short here until it notices, a second later at most (ops/stack/postgres.sql).
    left = deadline.left()
    bound = min(seconds, max(left - REPLY_MARGIN, left / 2, 0))
    return eventlet.Timeout(bound, Unavailable("database_unavailable"))


class Connection(psycopg.Connection[Any]):
    """A connection that knows when it was last used, and whether its transaction has left something for the relay."""

    used_at, outbox_filled = -math.inf, False


def is_outage(error: BaseException) -> bool:
    """True when the server is at fault, not what was asked of it: the same words may succeed later."""
    if isinstance(error, psycopg_pool.PoolTimeout | Unavailable):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(OUTAGE_STATES)


def _check(conn: Connection) -> None:
    poller = _poller()
    poller.register(conn.pgconn.socket, POLLIN)
    # A server that has hung up has something to read for us.
    if monotonic() - conn.used_at > FRESH or poller.poll(0):
        psycopg_pool.ConnectionPool.check_connection(conn)


class Postgres:
    """`with postgres.connection() as conn:` is one transaction, committed at its end; `reading()` is none."""

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
    def connection(self, seconds: float = PATIENCE) -> Iterator[Connection]:
        """Raises Unavailable when Postgres is not there in time, or the block takes more than `seconds`."""
        with self.autocommit(seconds) as conn:
            conn.outbox_filled = False
            with conn.transaction():
                yield conn
            if conn.outbox_filled:
                self._wake_relay(conn)

    @contextmanager
    def long_transaction(self) -> Iterator[Connection]:
        """As `connection`, for work that nobody waits for, and for long sums: a statement may take 10 s, not 2."""
        with self.connection() as conn:
            conn.execute("set local statement_timeout = '10s'")
            yield conn

    @contextmanager
    def autocommit(self, seconds: float = PATIENCE) -> Iterator[Connection]:
        """For questions: each is a transaction of its own, which saves two turns to the server."""
        try:
            # The pool bounds its own waiting, but not its question whether a connection is alive.
            with patience(WAIT_FOR_CONNECTION):
                leased = self._pool.getconn()
        except psycopg_pool.PoolTimeout as error:
            raise Unavailable("database_unavailable") from error
        try:
            with patience(seconds):
                yield leased
            leased.used_at = monotonic()
        finally:
            self._pool.putconn(leased)

    def _wake_relay(self, conn: Connection) -> None:
        # Outside the append's transaction: NOTIFY takes a lock of the whole database at commit. And the transaction
        # has been committed: a line that breaks now must not make it look as if it had not.
        with suppress(psycopg.Error, Unavailable), patience():
            conn.execute("notify outbox")


class Database(DependencyProvider):
    """The service's pool. `DATABASE_POOL` in its config is the greatest number of connections (10)."""

    def setup(self) -> None:
        size = int(self.container.config.get("DATABASE_POOL", 10))
        self.postgres = Postgres(self.container.config["DATABASE_URL"], size)

    def start(self) -> None:
        self.postgres.open()

    def stop(self) -> None:
        self.postgres.close()

    def get_dependency(self, worker_ctx: object) -> Postgres:
        return self.postgres
