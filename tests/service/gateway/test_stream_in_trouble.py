"""Streams when something ends, changes or is slow: nothing is missed, nothing told twice, nobody told too much."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import call_id, call_message, project_messages, project_states, state
from tests.service.gateway.conftest import SERVICE
from tests.service.gateway.factories import Company, Gateway
from tests.service.gateway.listening import STREAM, Listening
from tests.support.infrastructure import Service, Services, Stack, eventually, free_port

pytestmark = pytest.mark.process

LINE = "101"
LONG = "ї" * 100
Replica = tuple[Service, Gateway]


def call(name: str | int, line: str = LINE, **changed: Any) -> Any:
    return state(name, rung=[line], answered_by=[line], **changed)


@pytest.fixture
def replica(stack: Stack, services: Services) -> Callable[..., Replica]:
    def start(**env: str) -> Replica:
        address = f"127.0.0.1:{free_port()}"
        return services.start(SERVICE, of="gateway", WEB_ADDRESS=address, **env), Gateway(f"http://{address}")

    return start


@contextmanager
def listening(at: Gateway, token: str, after: str | None = None, **asked: Any) -> Iterator[Listening]:
    opened = Listening(at.url, {"Authorization": f"Bearer {token}"}, after, **asked)
    try:
        yield opened.begun()
    finally:
        opened.close()


def ids(*streams: Listening) -> list[str]:
    return [entry["call_id"] for stream in streams for entry in stream.entries]


def test_a_stream_goes_on_at_another_replica_when_its_own_is_killed(
    gateway: Gateway, company: Company, gateway_db: Postgres, replica
):
    service, own = replica()
    token = gateway.token("operator")
    with listening(own, token) as first:
        project_states(gateway_db, [call(n) for n in range(3)], company.tenant)
        first.until(3)
        service.kill()
        eventually(lambda: first.over)
        project_states(gateway_db, [call(n) for n in range(3, 6)], company.tenant)
    with listening(gateway, token, first.last_id) as second:
        second.until(3)
        project_states(gateway_db, [call(6)], company.tenant)
        second.until(4)
    assert sorted(ids(first, second)) == sorted(str(call_id(n)) for n in range(7))


def test_a_service_that_stops_ends_its_streams_at_once_and_says_so(gateway: Gateway, company: Company, replica):
    service, own = replica()
    with listening(own, gateway.token("operator")) as stream:
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: stream.over, 3)
        assert stream.reason == "stopping"
        assert service.process.wait(10) == 0
        assert time.monotonic() - began < 5


def test_a_restart_of_redis_costs_nothing_but_a_second(
    gateway: Gateway, company: Company, gateway_db: Postgres, services: Services, replica
):
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"

    def start() -> subprocess.Popen[bytes]:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        process = services.spawn(command, {}, ready=False).process
        eventually(lambda: _answers(url))
        return process

    process = start()
    _, own = replica(REDIS_URL=url)
    with listening(own, gateway.token("operator")) as stream:
        project_states(gateway_db, [call(1)], company.tenant)
        stream.until(1, 3)
        process.kill()
        process.wait()
        project_states(gateway_db, [call(2)], company.tenant)
        stream.until(2, 3)
        start()
        eventually(lambda: redis.Redis.from_url(url).pubsub_numsub("journal")[0][1] == 1)
        project_states(gateway_db, [call(3)], company.tenant)
        stream.until(3, 3)
        assert ids(stream) == [str(call_id(n)) for n in (1, 2, 3)]


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


def test_a_line_that_is_given_up_is_out_of_the_stream_within_two_seconds(
    gateway: Gateway, company: Company, gateway_db: Postgres
):
    with (
        listening(gateway, gateway.token("operator")) as stream,
        listening(gateway, gateway.token("supervisor")) as everything,
    ):
        project_states(gateway_db, [call(1)], company.tenant)
        stream.until(1)
        with gateway_db.connection() as conn:
            conn.execute("update lines set held_until = '2026-01-01' where address = %s", (LINE,))
        time.sleep(2)
        project_states(gateway_db, [call(2)], company.tenant)
        everything.until(2)
        with gateway_db.connection() as conn:
            conn.execute("update lines set held_until = null where address = %s", (LINE,))
        time.sleep(2)
        project_states(gateway_db, [call(3)], company.tenant)
        stream.until(2)
        assert ids(stream) == [str(call_id(1)), str(call_id(3))]


def test_what_waits_for_a_slow_client_is_not_for_it_when_its_line_is_given_up(
    gateway: Gateway, company: Company, gateway_db: Postgres
):
    with _not_reading(gateway, gateway.token("operator")) as slow:
        project_messages(
            gateway_db, *(call_message(call(n, caller_name=LONG * 10), 1, company.tenant) for n in range(400))
        )
        time.sleep(1)
        with gateway_db.connection() as conn:
            conn.execute("update lines set address = '109' where address = %s", (LINE,))
        time.sleep(2)
        project_states(gateway_db, [call("last", "109")], company.tenant)
        said = _until(slow, str(call_id("last")))
    told_of = [n for n in range(400) if str(call_id(n)) in said]
    assert 0 < len(told_of) < 100, "what was on its way already, and no more"


def test_a_client_that_does_not_read_is_dropped_and_told_so(gateway: Gateway, company: Company, gateway_db: Postgres):
    token = gateway.token("operator")
    with listening(gateway, token) as quick, _not_reading(gateway, token) as slow:
        for version in range(1, 13):
            states = [call_message(call(n, caller_name=LONG * 10), version, company.tenant) for n in range(100)]
            project_messages(gateway_db, *states)
            time.sleep(0.1)
        time.sleep(6)
        said = _rest(slow)
        assert said.rstrip().endswith(b'event: end\ndata: {"reason":"too-slow"}\n\n\r\n0'.rstrip())
        assert not quick.over
        project_states(gateway_db, [call("last")], company.tenant)
        eventually(lambda: str(call_id("last")) in ids(quick))
    told_ids = [line[4:].decode() for line in said.splitlines() if line.startswith(b"id: ")]
    with listening(gateway, token, told_ids[-1]) as resumed:
        eventually(lambda: str(call_id("last")) in ids(resumed))


@contextmanager
def _not_reading(gateway: Gateway, token: str) -> Iterator[socket.socket]:
    host, port = gateway.url.removeprefix("http://").split(":")
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((host, int(port)))
    line.settimeout(20)
    line.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    try:
        yield line
    finally:
        line.close()


def _until(line: socket.socket, text: str) -> str:
    said = b""
    while text.encode() not in said and (piece := line.recv(65536)):
        said += piece
    assert text.encode() in said
    return said.decode()


def _rest(line: socket.socket) -> bytes:
    said = b""
    while piece := line.recv(65536):
        said += piece
    return said


def test_a_client_that_has_gone_is_noticed_and_forgotten(gateway: Gateway, company: Company, replica):
    service, own = replica()
    with listening(own, gateway.token("operator")) as stream:
        assert stream
    eventually(lambda: any(line.get("message") == "stream ended" for line in service.told()), 20)
