"""HTTP doors under clients that are too many, too slow, too long or too strange, and at their end under load."""

import random
import resource
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
import requests

from tests.service.plumbing.stage import DOUBLES, Asker
from tests.sizes import Size, sized
from tests.support.infrastructure import Service, Services, Stack, eventually

Start = Callable[..., Service]
URL_LIMIT, HEADER_LIMIT = 8192, 16384


def connect(port: int, request: bytes = b"") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    line.sendall(request)
    return line


def ask(port: int, request: bytes) -> int | None:
    """The status of the answer; None if there is none."""
    with connect(port) as line:
        with suppress(ConnectionError):
            line.sendall(request)
        received = b""
        with suppress(ConnectionError):
            while len(received) < 13 and (chunk := line.recv(65536)):
                received += chunk
    return int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else None


def ended(line: socket.socket) -> bool:
    line.settimeout(0.01)
    with suppress(TimeoutError):
        try:
            return line.recv(65536) == b""
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    ("more", "status"), [(-1, 404), (0, 404), (1, 414), (100, 414), (20_000, 414)], ids=lambda value: str(value)
)
def test_an_address_may_be_8_kib_long(asker: Asker, more: int, status: int) -> None:
    address = b"/" + b"a" * (URL_LIMIT + more - 1)
    assert ask(asker.port, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % address) == status


@pytest.mark.parametrize(("more", "status"), [(-1, 200), (0, 200), (1, 431), (100, 431), (100_000, 431)], ids=str)
@pytest.mark.parametrize("lines", [1, 50])
def test_a_header_may_be_16_kib_long(asker: Asker, lines: int, more: int, status: int) -> None:
    first = b"Host: x\r\nConnection: close\r\n"
    left = HEADER_LIMIT + more - len(first)
    sizes = [left // lines] * (lines - 1) + [left - left // lines * (lines - 1)]
    header = first + b"".join(b"X: %s\r\n" % (b"a" * (size - 5)) for size in sizes)
    assert len(header) == HEADER_LIMIT + more
    assert ask(asker.port, b"GET /quick HTTP/1.1\r\n%s\r\n" % header) == status


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: +2",
        "Content-Length: 1_0",
        "Content-Length: " + "9" * 5000,
    ],
    ids=lambda header: header[:40],
)
def test_a_length_is_said_once_and_in_digits(asker: Asker, header: str) -> None:
    request = f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{header}\r\n\r\n{{}}"
    assert ask(asker.port, request.encode()) == 400


def test_a_head_that_breaks_off_is_no_request(asker: Asker) -> None:
    with connect(asker.port, b"GET /quick HTTP/1.1\r\nHost: x\r\n") as line:
        line.shutdown(socket.SHUT_WR)
        assert line.recv(65536) == b""


@pytest.fixture
def many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.mark.usefixtures("many_sockets")
@sized("R23")
def test_clients_that_say_nothing_keep_nobody_out(size: Size, start: Start, web_port: int) -> None:
    service = start("Asker", WEB_PORT=web_port, CONNECTIONS=size.places)
    asker = Asker(web_port)
    with ExitStack() as idle:
        for _ in range(size.clients):
            idle.enter_context(connect(web_port))
        assert max(asker.quick() for _ in range(10)) < 1
    eventually(lambda: asker.quick() < 0.1)
    assert service.alive()


@pytest.mark.usefixtures("many_sockets")
@sized("R23")
def test_a_process_without_a_socket_left_makes_room(
    size: Size, stack: Stack, services: Services, web_port: int
) -> None:
    environment = stack.env("calls") | {"AMQP_URI": stack.admin_uri, "WEB_PORT": str(web_port), "PATH": "/usr/bin:/bin"}
    run = f"ulimit -n {size.sockets}; exec {sys.executable} -m shared.plumbing.runner {DOUBLES}Asker"
    service = services.spawn(["bash", "-c", run], environment)
    asker = Asker(web_port)
    with ExitStack() as idle:
        for _ in range(size.clients):
            idle.enter_context(connect(web_port))
        assert max(asker.quick() for _ in range(5)) < 5
    eventually(lambda: asker.quick() < 0.1)
    assert service.alive()


HEAD = b"GET /quick HTTP/1.1\r\nX: "
BODY = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("beginning", [HEAD, BODY], ids=["head", "body"])
def test_a_byte_now_and_then_does_not_prolong_a_clients_time(asker: Asker, beginning: bytes) -> None:
    with connect(asker.port, beginning) as line:
        started = time.monotonic()
        while sent(line):
            time.sleep(0.1)
    assert time.monotonic() - started < 3, "a second was given"


@sized("R24")
@pytest.mark.parametrize("beginning", [HEAD, BODY], ids=["head", "body"])
def test_clients_that_send_a_byte_now_and_then_keep_nobody_out(
    size: Size, start: Start, web_port: int, beginning: bytes
) -> None:
    service = start("Asker", WEB_PORT=web_port, CONNECTIONS=size.places, SOCKET_TIMEOUT=1)
    asker = Asker(web_port)
    slowest, until, slow = 0.0, time.monotonic() + size.seconds, list[socket.socket]()
    try:
        while time.monotonic() < until:
            slow = [line for line in slow if sent(line)]
            slow += [connect(web_port, beginning) for _ in range(size.clients - len(slow))]
            slowest = max(slowest, asker.quick())
            time.sleep(0.2)
    finally:
        for line in slow:
            line.close()
    assert slowest < 1
    assert service.alive()


def sent(line: socket.socket) -> bool:
    try:
        line.sendall(b"x")
    except OSError:
        line.close()
        return False
    if ended(line):
        line.close()
        return False
    return True


def test_streams_take_no_place_from_requests_and_have_a_bound_of_their_own(start: Start, web_port: int) -> None:
    start("Asker", WEB_PORT=web_port, CONNECTIONS=2, STREAMS=3)
    asker = Asker(web_port)
    stream = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    lines = [connect(web_port, stream) for _ in range(3)]
    assert all(b"tick" in line.recv(65536) + line.recv(65536) for line in lines)
    assert asker.quick() < 1
    refused = requests.get(f"{asker.url}/stream", timeout=5)
    assert (refused.status_code, refused.json()["type"], refused.headers["Retry-After"]) == (
        503,
        "/problems/too-many-streams",
        "1",
    )
    lines.pop().close()
    eventually(lambda: ask(web_port, stream) == 200)
    assert not any(ended(line) for line in lines)
    for line in lines:
        line.close()


@pytest.mark.parametrize("clients", [1, 2, 3])
def test_the_client_that_waits_longest_makes_room_when_every_place_is_taken_and_no_sooner(
    start: Start, web_port: int, clients: int
) -> None:
    start("Asker", WEB_PORT=web_port, CONNECTIONS=3)
    with ExitStack() as held:
        idle = [held.enter_context(connect(web_port)) for _ in range(clients)]
        assert Asker(web_port).quick() < 1
        assert [ended(line) for line in idle] == [clients == 3, False, False][:clients]


@pytest.mark.parametrize("busy", [1, 2, 3])
def test_who_comes_when_every_place_works_waits_for_one(start: Start, web_port: int, busy: int) -> None:
    start("Asker", WEB_PORT=web_port, CONNECTIONS=3)
    with ExitStack() as held:
        for _ in range(busy):
            held.enter_context(connect(web_port, b"GET /sleep/1.5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        time.sleep(0.3)
        assert (Asker(web_port).quick() > 0.7) is (busy == 3)


@pytest.mark.parametrize(("others", "status"), [(1, 200), (2, 200), (3, 503)])
def test_one_stream_too_many_is_refused_and_none_sooner(start: Start, web_port: int, others: int, status: int) -> None:
    start("Asker", WEB_PORT=web_port, STREAMS=3)
    stream = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as held:
        lines = [held.enter_context(connect(web_port, stream)) for _ in range(others)]
        assert all(line.recv(65536).startswith(b"HTTP/1.1 200 ") for line in lines)
        assert ask(web_port, stream) == status


SEEDS = [
    b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",
    b'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"a": [1, 2]}',
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /quick?x=%ff&y=%00 HTTP/1.1\r\nHost: [::1]:80\r\nX-Request-Id: a\r\nConnection: keep-alive\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
]
BITS = [b"\r\n", b"\0", b"\xff\xfe", b" ", b":", b"%", b"/../", b"HTTP/9.9", b"9" * 30, b"{" * 50, "ї".encode(), b"\n"]


def strange(chance: random.Random) -> bytes:
    request = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(request))
        match chance.randrange(4):
            case 0:
                request[place] = chance.randrange(256)
            case 1:
                request[place:place] = chance.choice(BITS)
            case 2:
                del request[place : place + chance.randint(1, 20)]
            case 3:
                request[place:place] = request[place : place + chance.randint(1, 40)]
        request = request or bytearray(b"\n")
    return bytes(request)


@sized("R25")
def test_no_request_however_strange_ends_the_service_or_is_its_mistake(size: Size, start: Start, web_port: int) -> None:
    service = start("Asker", WEB_PORT=web_port, SOCKET_TIMEOUT=1)
    chance = random.Random(size.requests)
    for _ in range(size.requests):
        request = strange(chance)
        with connect(web_port) as line, suppress(ConnectionError):
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            received = line.recv(65536)
            assert not received.startswith(b"HTTP/1.1 5"), (request, received)
            assert not received or received.startswith(b"HTTP/1."), (request, received)
    assert Asker(web_port).quick() < 1
    assert service.alive()
    assert service.log.read_text().count("Traceback") <= size.requests / 10_000
