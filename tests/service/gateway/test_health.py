"""Alive is not ready; and what is no door of ours is a problem too."""

import time

import pytest
from requests import Response

from tests.service.gateway.factories import Gateway, Remote
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem

pytestmark = pytest.mark.process

SERVERS = ["database", "broker", "cache"]


def not_ready(remote: Remote) -> list[Response]:
    answer = remote.gateway("GET", "/readyz")
    return [answer] if answer.status_code == 503 else []


def test_a_gateway_tells_what_it_counts(gateway: Gateway):
    answer = gateway("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "process_cpu_seconds_total" in answer.text


def test_a_gateway_with_all_its_servers_is_ready(gateway: Gateway):
    answer = gateway("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("server", SERVERS)
def test_a_gateway_is_not_ready_without_one_of_its_servers_and_names_it(remote: Remote, server):
    remote.lines[server].cut()
    [answer] = eventually(lambda: not_ready(remote), seconds=5)
    assert check_problem(answer, 503, "servers_unavailable")["params"] == {"servers": [server]}
    assert answer.headers["Retry-After"] == "1"
    assert remote.gateway("GET", "/healthz").status_code == 200
    remote.lines[server].resume()
    eventually(lambda: remote.gateway("GET", "/readyz").status_code == 200, seconds=10)


def test_servers_that_hang_are_not_waited_for_long(remote: Remote):
    for line in remote.lines.values():
        line.pause()
    began = time.monotonic()
    [answer] = eventually(lambda: not_ready(remote), seconds=5)
    assert time.monotonic() - began < 4
    assert set(check_problem(answer, 503, "servers_unavailable")["params"]["servers"]) == set(SERVERS)
    assert remote.gateway("GET", "/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/v2/me", "/api/v1/sessions/other", "/favicon.ico"])
def test_what_is_not_there_is_a_problem(gateway: Gateway, path):
    answer = gateway("GET", path)
    check_problem(answer, 404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/sessions"), ("PUT", "/api/v1/me"), ("POST", "/healthz")])
def test_another_method_is_a_problem(gateway: Gateway, method, path):
    answer = gateway(method, path)
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]
