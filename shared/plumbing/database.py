"""One pool of Postgres connections per service, safe under eventlet."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import eventlet
import psycopg
import psycopg_pool
from nameko.extensions import DependencyProvider
from psycopg import waiting

from shared.contracts.errors import Unavailable

# The binary package's C wait blocks the eventlet hub; psycopg notices gevent only.
waiting.wait = waiting.wait_select

WAIT_FOR_CONNECTION = 2.0
PATIENCE = 15.0
"""Seconds after which a server that does not answer is given up; more than any statement may take."""
LINE: dict[str, Any] = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
"""How connections notice that the line is dead."""
OUTAGE_STATES = ("08", "57P", "53", "40", "55P03")
"""SQLSTATE classes of a server that is away, shutting down or out of resources, and of losing to another's lock."""


def as_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the JSON that `json_to_recordset` takes."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def patience(seconds: float = PATIENCE) -> eventlet.Timeout:
    """In a `with`: raises Unavailable when the block takes longer."""
    return eventlet.Timeout(seconds, Unavailable("The database does not answer."))


class Connection(psycopg.Connection[Any]):
    """A connection that knows whether its transaction has left something for the relay."""

    outbox_filled = False


def is_outage(error: BaseException) -> bool:
    """True when the server is at fault, not what was asked of it: the same words may succeed later."""
    if isinstance(error, psycopg_pool.PoolTimeout | Unavailable):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(OUTAGE_STATES)


class Postgres:
    """`with postgres.connection() as conn:` is one transaction, committed at its end."""

    def __init__(self, url: str, size: int) -> None:
        self._pool = psycopg_pool.ConnectionPool(
            url,
            kwargs=LINE,
            connection_class=Connection,
            min_size=1,
            max_size=size,
            timeout=WAIT_FOR_CONNECTION,
            reconnect_timeout=5,
            check=psycopg_pool.ConnectionPool.check_connection,
            open=False,
        )

    def open(self) -> None:
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Raises Unavailable when Postgres is not there within two seconds."""
        try:
            # The pool bounds its own waiting, but not its question whether a connection is alive.
            with patience(WAIT_FOR_CONNECTION):
                leased = self._pool.getconn()
        except psycopg_pool.PoolTimeout as error:
            raise Unavailable("The database does not answer.") from error
        try:
            leased.outbox_filled = False
            with patience(), leased.transaction():
                yield leased
            if leased.outbox_filled:
                self._wake_relay(leased)
        finally:
            self._pool.putconn(leased)

    def _wake_relay(self, conn: Connection) -> None:
        # Outside the append's transaction: NOTIFY takes a lock of the whole database at commit. And the transaction
        # has been committed: a line that breaks now must not make it look as if it had not.
        with suppress(psycopg.Error, Unavailable), patience():
            conn.execute("notify outbox")
            conn.commit()


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
