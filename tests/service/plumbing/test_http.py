"""HTTP doors: every error is a problem that says which request it was, and none tells what it should not."""

import json
import re
import socket
import time
from typing import Any

import pytest
import requests

from tests.service.plumbing.stage import Asker
from tests.support.problems import check_members, check_problem

INSTANCE = re.compile(r"urn:uuid:[0-9a-f-]{36}")


@pytest.fixture
def door(asker: Asker) -> str:
    """The URL of the double Asker."""
    return asker.url


def raw(door: str, request: bytes, then: bytes = b"") -> tuple[int, dict[str, str], Any]:
    """What a client gets who writes bytes, waits, and perhaps writes some more."""
    host, port = door.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(request)
        received = b""
        while chunk := line.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), dict(one.split(": ", 1) for one in rest), json.loads(body)


@pytest.mark.parametrize("how", ["bug", "surrogate"])
def test_an_error_of_ours_tells_only_where_to_look_it_up(door: str, how: str) -> None:
    answer = requests.get(f"{door}/fail/{how}", timeout=10)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if answer.status_code >= 500:
        assert INSTANCE.fullmatch(answer.json()["instance"])
    assert not re.search(r"postgres://|Traceback|secret|\.py", answer.text)


@pytest.mark.parametrize(
    ("method", "path", "how", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/fail//missing", {}, 404),
        ("DELETE", "/quick", {}, 405),
        ("GET", "/fail/missing", {}, 404),
        ("GET", "/fail/conflict", {}, 409),
        ("POST", "/echo", {"data": "x" * 1001, "headers": {"Content-Type": "application/json"}}, 413),
        ("POST", "/echo", {"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/echo", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/echo", {"data": "[" * 900, "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/echo", {"data": b"\xff", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/echo", {"data": iter([b"{}"]), "headers": {"Content-Type": "application/json"}}, 411),
    ],
)
def test_every_refusal_is_a_problem_that_names_its_request(
    door: str, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    answer = requests.request(method, door + path, timeout=10, allow_redirects=False, **how)
    problem = check_problem(answer, status)
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("id_", ["a", "trace-7", "x" * 64])
def test_a_request_keeps_the_id_it_came_with(door: str, id_: str) -> None:
    assert requests.get(f"{door}/quick", headers={"X-Request-Id": id_}, timeout=10).headers["X-Request-Id"] == id_


@pytest.mark.parametrize("id_", [b"", b"x" * 65, b"a b", b"a\r\n b", b"\xd1\x97", b"<script>"])
def test_an_id_that_is_none_is_replaced(door: str, id_: bytes) -> None:
    request = b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: " + id_ + b"\r\n\r\n"
    status, headers, _ = raw(door, request)
    assert (status, len(headers["X-Request-Id"])) == (200, 36)


def test_a_body_that_does_not_come_is_not_waited_for(door: str) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    started = time.monotonic()
    status, headers, problem = raw(door, head)
    check_members(problem)
    assert (status, problem["code"], headers["Content-Type"]) == (408, "request_timeout", "application/problem+json")
    assert problem["request_id"] == headers["X-Request-Id"]
    assert time.monotonic() - started < 3


def test_what_is_no_http_does_not_end_the_service(door: str) -> None:
    host, port = door.removeprefix("http://").split(":")
    for rubbish in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 9000, b"\x16\x03\x01", b"POST / \r\n"):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(rubbish)
    assert requests.get(f"{door}/quick", timeout=10).json() == {"quick": True}
