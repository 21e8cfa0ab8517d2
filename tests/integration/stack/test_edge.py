"""The edge answers in problem+json when it answers itself, and keeps what is inside inside."""

import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.edge import edge_settings, start_edge
from tests.support.infrastructure import Services, Stack, free_port
from tests.support.problems import check_members

Edge = Callable[..., str]
SHORT = {"client_header_timeout 10s": "client_header_timeout 1s", "client_body_timeout 10s": "client_body_timeout 1s"}
MORE_THAN_A_FEW = 1200


@pytest.fixture
def edge(stack: Stack) -> str:
    return stack.env("admin")["BASE_URL"]


@pytest.mark.parametrize("path", ["/{}", "/{}/", "//{}", "/%6detrics", "/%72eadyz", "/x/../{}", "/{}?x=1"])
@pytest.mark.parametrize("door", ["metrics", "readyz"])
def test_metrics_and_readiness_are_not_for_the_outside(edge: str, path: str, door: str) -> None:
    path = path.format(door)
    answer = raw(edge, f"GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GARBAGE GARBAGE\r\n\r\n", 400),
        (f"GET /{'a' * 21_000} HTTP/1.1\r\nHost: edge\r\n\r\n", 414),
        (f"GET / HTTP/1.1\r\nHost: edge\r\nX: {'a' * 21_000}\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: edge\r\nContent-Length: 17000000\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: morse\r\n\r\n", 400),
        ("GET / HTTP/9.1\r\nHost: edge\r\n\r\n", 400),
        ("TRACE / HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n", 405),
    ],
)
def test_the_edges_own_refusals_are_problems(edge: str, request_: str, status: int) -> None:
    answer = raw(edge, request_)
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "Content-Type: application/problem+json" in answer
    problem = json.loads(answer.partition("\r\n\r\n")[2])
    check_members(problem)
    assert problem["status"] == status


def test_a_silent_service_is_a_503_that_says_when_to_try_again(edge: str) -> None:
    answer = requests.get(f"{edge}/media/x", timeout=10)
    problem = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"
    check_members(problem)
    assert problem["code"] == "unavailable"
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["instance"].startswith("urn:uuid:")


class Behind(BaseHTTPRequestHandler):
    """Says what it was told of the client; at /slow not before it may."""

    may: ClassVar[threading.Event]

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.may.wait(20)
        told = f"{self.headers['X-Forwarded-Proto']} {self.headers['X-Forwarded-For']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *said: Any) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def behind() -> Iterator[str]:
    Behind.may = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        Behind.may.set()
        server.shutdown()


@pytest.fixture
def own_edge(services: Services, tmp_path: Path, behind: str) -> Edge:
    """`own_edge(trusted, **changed)`: the URL of an edge before `behind`, with some of its settings changed."""

    def start(trusted: str = "", changed: dict[str, str] | None = None) -> str:
        port = free_port()
        settings = edge_settings(tmp_path, port, behind, trusted)
        for words, others in (changed or {}).items():
            assert words in settings
            settings = settings.replace(words, others)
        start_edge(services, tmp_path, settings)
        return f"http://127.0.0.1:{port}"

    return start


FROM_OUTSIDE = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1, 203.0.113.7"}


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        ("", "http 127.0.0.1"),
        ("192.0.2.0/24", "http 127.0.0.1"),
        ("127.0.0.1", "https 203.0.113.7"),
        ("192.0.2.0/24,127.0.0.0/8", "https 203.0.113.7"),
    ],
    ids=["nobody", "another", "the peer", "its network"],
)
def test_who_the_client_is_and_how_it_came_is_believed_of_the_trusted_proxy_only(
    own_edge: Edge, trusted: str, told: str
) -> None:
    edge = own_edge(trusted)
    assert requests.get(edge, headers=FROM_OUTSIDE, timeout=10).text == told
    assert requests.get(edge, headers={"X-Forwarded-Proto": "gopher"}, timeout=10).text.startswith("http ")
    assert requests.get(edge, timeout=10).text == "http 127.0.0.1"


@pytest.mark.parametrize(
    "beginning",
    ["GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: edge\r\nContent-Length: 1000\r\n\r\n"],
    ids=["head", "body"],
)
def test_a_client_that_does_not_go_on_is_let_go(own_edge: Edge, beginning: str) -> None:
    edge, began = own_edge(changed=SHORT), time.monotonic()
    answer = raw(edge, beginning + "x")
    assert not answer or answer.startswith("HTTP/1.1 408 ")
    assert 0.8 < time.monotonic() - began < 4


def test_a_byte_now_and_then_does_not_prolong_a_head(own_edge: Edge) -> None:
    edge, began = own_edge(changed=SHORT), time.monotonic()
    with socket.create_connection(("127.0.0.1", urlsplit(edge).port or 80), timeout=0.2) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX: ")
        while time.monotonic() < began + 5:
            with suppress(TimeoutError):
                if not line.recv(1000):
                    break
            line.sendall(b"x")
    assert time.monotonic() - began < 4


def test_one_address_may_ask_much_at_once_but_not_everything(own_edge: Edge) -> None:
    edge = own_edge(changed={"limit_conn addresses 2000;": "limit_conn addresses 3;"})
    slow = "GET /slow HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n"
    with ExitStack() as held:
        lines = [held.enter_context(connected(edge, slow)) for _ in range(2)]
        time.sleep(0.2)
        assert requests.get(edge, timeout=10).status_code == 200
        lines.append(held.enter_context(connected(edge, slow)))
        time.sleep(0.2)
        refused = requests.get(edge, timeout=10)
        check_members(refused.json())
        problem = (refused.status_code, refused.json()["code"], refused.headers["Retry-After"])
        assert problem == (429, "too_many_connections", "1")
        Behind.may.set()
        assert all(line.recv(1000).startswith(b"HTTP/1.1 200 ") for line in lines)
    assert requests.get(edge, timeout=10).status_code == 200


def test_a_company_behind_one_address_has_room(edge: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as held:
        for _ in range(MORE_THAN_A_FEW):
            held.enter_context(connected(edge, "GET / HTTP/1.1\r\n"))
        began = time.monotonic()
        assert requests.get(f"{edge}/metrics", timeout=5).status_code == 404
        assert time.monotonic() - began < 1


def connected(edge: str, request: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", urlsplit(edge).port or 80), timeout=10)
    line.sendall(request.encode())
    return line


def raw(edge: str, request: str) -> str:
    with socket.create_connection(("127.0.0.1", urlsplit(edge).port or 80), timeout=10) as sock:
        sock.sendall(request.encode())
        answer = b""
        while b'"}' not in answer and (part := sock.recv(65536)):
            answer += part
    return answer.decode()
