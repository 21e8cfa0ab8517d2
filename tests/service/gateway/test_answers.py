"""What every answer says besides its content, and how much every door takes."""

import re
import socket
import time
from contextlib import ExitStack
from uuid import UUID

import pytest

from services.gateway.domain.keys import KeyKind
from services.gateway.endpoints.endpoint import EndpointSpec
from services.gateway.service import ENDPOINTS
from tests.service.gateway.factories import Company, Gateway
from tests.support.problems import check_problem

PATHS = ["/api/v1/me", "/api/v1/journal", "/api/v1/nowhere", "/api/v1/sessions", "/healthz"]
LARGEST = 16 * 1024 * 1024
WRITES = [spec for spec in ENDPOINTS.values() if spec.body is not None and spec.body_limit <= LARGEST]
JSON = {"Content-Type": "application/json"}
MORE_THAN_CONNECTIONS = 25
LONG_BODY = ["Content-Type: application/json", "Content-Length: 1000"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("signed_in", [True, False])
def test_nobody_between_keeps_an_answer_or_guesses_what_it_is(gateway: Gateway, company: Company, path, signed_in):
    answer = gateway("GET", path, token=gateway.token("operator") if signed_in else "")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_over_https_the_browser_is_told_to_stay_there(gateway: Gateway):
    behind_tls = gateway("GET", "/", headers={"X-Forwarded-Proto": "https"})
    assert behind_tls.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in gateway("GET", "/").headers


@pytest.mark.parametrize("spec", WRITES, ids=lambda spec: spec.name)
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_door_reads_as_much_as_it_says_and_not_a_byte_more(
    gateway: Gateway, company: Company, spec: EndpointSpec, beside: int
):
    body = b"{}".ljust(spec.body_limit + beside)
    answer = gateway(spec.method, path_of(spec), data=body, headers=dict(JSON), **shown(gateway, company, spec))
    assert (answer.status_code == 413) is (beside > 0)
    if beside > 0:
        problem = check_problem(answer, 413, "body_too_large")
        assert problem["params"] == {"max": spec.body_limit}


def path_of(spec: EndpointSpec) -> str:
    return re.sub(r"<[^>]*>", str(UUID(int=0)), spec.path)


def shown(gateway: Gateway, company: Company, spec: EndpointSpec) -> dict[str, str]:
    if KeyKind.INGEST in spec.roles:
        return {"key": company.keys["ingest"]}
    return {} if spec.is_public else {"token": gateway.token("administrator")}


@pytest.mark.parametrize(("limit", "status"), [("0", 422), ("1", 200), ("199", 200), ("200", 200), ("201", 422)])
def test_a_page_has_one_to_two_hundred_rows(gateway: Gateway, company: Company, limit, status):
    answer = gateway("GET", "/api/v1/journal", token=gateway.token("operator"), params={"limit": limit})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"from": "1970-01-01", "to": "9999-12-30"}, 200),
        ({"from": "2026-01-01", "to": "2026-01-01"}, 200),
        ({"from": "2026-01-02", "to": "2026-01-01"}, 422),
        ({"period": "month"}, 200),
        ({"period": "century"}, 422),
        ({"period": "today", "from": "2026-01-01"}, 422),
    ],
)
def test_any_period_may_be_asked_for_that_does_not_end_before_it_begins(
    gateway: Gateway, company: Company, asked, status
):
    assert gateway("GET", "/api/v1/journal", token=gateway.token("operator"), params=asked).status_code == status


def test_slow_bodies_hold_no_connection_to_the_database(gateway_process: Gateway, company: Company):
    token = gateway_process.token("administrator")
    host, _, port = gateway_process.url.removeprefix("http://").partition(":")
    head = "\r\n".join(["POST /api/v1/contacts HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *LONG_BODY])
    with ExitStack() as held:
        for _ in range(MORE_THAN_CONNECTIONS):
            slow = held.enter_context(socket.create_connection((host, int(port))))
            slow.sendall(f"{head}\r\n\r\n{{".encode())
        time.sleep(0.5)
        assert gateway_process("GET", "/api/v1/contacts", token=token).status_code == 200
