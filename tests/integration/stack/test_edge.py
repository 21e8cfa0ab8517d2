"""The edge answers in problem+json when it answers itself, and keeps what is inside inside."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from shared.testing.infrastructure import Stack


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
    assert f'"status":{status}' in answer


def test_a_silent_service_is_a_503_that_says_when_to_try_again(edge: str) -> None:
    answer = requests.get(f"{edge}/media/x", timeout=10)
    problem = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "unavailable"
    assert problem["instance"].startswith("urn:uuid:")


def raw(edge: str, request: str) -> str:
    with socket.create_connection(("127.0.0.1", urlsplit(edge).port or 80), timeout=10) as sock:
        sock.sendall(request.encode())
        answer = b""
        while b'"}' not in answer and (part := sock.recv(65536)):
            answer += part
    return answer.decode()
