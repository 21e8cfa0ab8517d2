"""Queues, tables and doubles for the tests of the plumbing."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection

from shared.contracts.topology import DEAD_EXCHANGE, RPC_EXCHANGE, dead, retry
from tests.service.plumbing.stage import PAUSES, WORK, Asker, Notes, Rpc, start_double
from tests.support.infrastructure import Broker, Service, Services, Stack, free_port
from tests.support.proxy import Proxy

QUORUM = {"x-queue-type": "quorum"}
OURS = (WORK, dead(WORK), *map(retry, PAUSES))


@pytest.fixture(scope="module")
def notebook(stack: Stack) -> Iterator[Notes]:
    """The table in which doubles note what they have done."""
    with psycopg.connect(stack.env("calls")["OWNER_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("drop table if exists notes")
        conn.execute("create table notes (id bigint generated always as identity, word text)")
        yield Notes(conn)
        conn.execute("drop table notes")


@pytest.fixture
def notes(notebook: Notes) -> Notes:
    notebook.conn.execute("truncate notes, inbox, commands, outbox")
    return notebook


@pytest.fixture(scope="module")
def queues(stack: Stack) -> Iterator[None]:
    """A queue for Listener, with a dead-letter queue and short retry pauses."""
    with Connection(stack.admin_uri) as connection:
        channel = connection.default_channel
        channel.queue_declare(WORK, durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_declare(dead(WORK), durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_bind(dead(WORK), DEAD_EXCHANGE, WORK)
        for pause in PAUSES:
            back = QUORUM | {"x-dead-letter-exchange": "", "x-message-ttl": int(pause * 1000)}
            channel.exchange_declare(retry(pause), "topic", durable=True, auto_delete=False)
            channel.queue_declare(retry(pause), durable=True, auto_delete=False, arguments=back)
            channel.queue_bind(retry(pause), retry(pause), "#")
        yield
        for queue in OURS:
            channel.queue_delete(queue)
        for pause in PAUSES:
            channel.exchange_delete(retry(pause))


@pytest.fixture
def work(queues: None, broker: Broker) -> str:
    """The queue of Listener, empty as are those around it."""
    with broker.channel() as channel:
        for queue in OURS:
            channel.queue_purge(queue)
    return WORK


@pytest.fixture(scope="module")
def rpc_client(stack: Stack) -> Iterator[Rpc]:
    with Connection(stack.admin_uri) as connection:
        replies = str(uuid4())
        channel = connection.default_channel
        channel.queue_declare(replies, exclusive=True)
        channel.queue_bind(replies, RPC_EXCHANGE, replies)
        yield Rpc(connection, replies)
        channel.queue_delete("rpc-answers")


@pytest.fixture
def rpc(rpc_client: Rpc) -> Rpc:
    rpc_client.connection.default_channel.queue_purge(rpc_client.replies)
    return rpc_client


@pytest.fixture(scope="module")
def lasting(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Services that outlive a test."""
    services = Services(stack, tmp_path_factory.mktemp("lasting"))
    yield services
    services.stop()


@pytest.fixture(scope="module")
def listener(stack: Stack, lasting: Services, queues: None, notebook: Notes) -> Service:
    """The double Listener, for all tests that leave it alive."""
    return start_double(stack, lasting, "Listener")


@pytest.fixture(scope="module")
def answers(stack: Stack, lasting: Services, notebook: Notes, rpc_client: Rpc) -> Service:
    return start_double(stack, lasting, "Answers", DATABASE_POOL=20, PSYCOPG_WAIT_FUNC="wait_c")


@pytest.fixture(scope="module")
def asker(stack: Stack, lasting: Services) -> Asker:
    port = free_port()
    start_double(stack, lasting, "Asker", WEB_PORT=port, SOCKET_TIMEOUT=1)
    return Asker(port)


@pytest.fixture
def proxies(stack: Stack) -> Iterator[dict[str, Proxy]]:
    """`proxies["AMQP_URI"]` and `proxies["DATABASE_URL"]`, for the environment of a double."""
    made = {"AMQP_URI": Proxy(stack.admin_uri), "DATABASE_URL": Proxy(stack.env("calls")["DATABASE_URL"])}
    yield made
    for proxy in made.values():
        proxy.close()


@pytest.fixture
def start(stack: Stack, services: Services) -> Callable[..., Service]:
    """`start("Listener", HEARTBEAT="1")`: a double with the rights of the administrator at the broker."""
    return lambda double, **how: start_double(stack, services, double, **how)


@pytest.fixture
def web_port() -> int:
    return free_port()
