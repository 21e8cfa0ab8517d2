"""A write under an Idempotency-Key happens once, however often and from wherever it is sent."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from services.gateway.http import idempotency
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import call_id, project_states, state
from tests.service.gateway.factories import PASSWORD, Company, Gateway, at_once
from tests.support.problems import check_problem, without_request_id

pytestmark = pytest.mark.process

CONTACTS = "/api/v1/contacts"
KATERYNA = {"name": "Катерина Власова", "number": "0501112233"}
Write = Callable[..., Any]


@pytest.fixture
def write(gateway: Gateway, company: Company) -> Write:
    token = gateway.token("administrator")

    def write(key: str, body: Any = KATERYNA, path: str = CONTACTS, method: str = "POST", **how: Any) -> Any:
        headers = {"Idempotency-Key": key} | how.pop("headers", {})
        return Gateway(gateway.url)(method, path, **{"token": token, "json": body, "headers": headers, **how})

    return write


def count(db: Postgres, table: str = "contacts") -> int:
    with db.autocommit() as conn:
        [[found]] = conn.execute(f"select count(*) from {table}")
    return int(found)


def test_a_repeat_is_answered_as_the_first_was_and_does_nothing(write: Write, gateway_db: Postgres):
    first, again = write("раз".encode().hex()), write("раз".encode().hex())
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["Content-Type"]) == (first.content, first.headers["Content-Type"])
    assert count(gateway_db) == 1


def test_without_a_key_it_is_another_write(gateway: Gateway, company: Company):
    token = gateway.token("administrator")
    assert gateway("POST", CONTACTS, token=token, json=KATERYNA).status_code == 201
    assert gateway("POST", CONTACTS, token=token, json=KATERYNA).status_code == 409


@pytest.mark.parametrize(
    "other",
    [
        {"body": {**KATERYNA, "name": "Інша"}},
        {"path": "/api/v1/accounts"},
        {"method": "PUT", "path": f"{CONTACTS}/{uuid4()}"},
    ],
)
def test_a_key_is_for_one_request(write: Write, gateway_db: Postgres, other):
    write("key")
    answer = write("key", **other)
    check_problem(answer, 422, "invalid", "Idempotency-Key")
    assert count(gateway_db) == 1


def test_the_same_key_of_two_people_is_two_keys(write: Write, gateway: Gateway, gateway_db: Postgres):
    assert write("key").status_code == 201
    other = write("key", {**KATERYNA, "number": "0671112233"}, token=gateway.token("operator"))
    assert (other.status_code, count(gateway_db)) == (201, 2)


def test_of_two_at_once_one_happens_and_both_are_answered_alike(write: Write, gateway: Gateway, gateway_db: Postgres):
    for number in range(5):
        body = {"name": "Оля", "number": f"10{number}"}
        asking = partial(write, f"key {number}", body)
        one, other = at_once(lambda _, ask=asking: ask(), lambda _, ask=asking: ask(), of=gateway)
        assert (one.status_code, one.content) == (201, other.content)
    assert count(gateway_db) == 5


def test_of_two_imports_at_once_both_are_told_what_the_first_has_added(gateway: Gateway, company: Company):
    how = {
        "token": gateway.token("administrator"),
        "data": b"name,number\n" + b"".join(b"X,%d\n" % n for n in range(999)),
    }
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "key"}
    both = [lambda one: one("POST", f"{CONTACTS}/import", headers=dict(headers), **how)] * 2
    one, other = at_once(*both, of=gateway)
    assert one.json() == other.json() == {"added": 999, "changed": 0, "unchanged": 0}


def test_a_day_later_it_is_forgotten(write: Write, gateway_db: Postgres):
    contact = write("key").json()
    assert write("del", None, f"{CONTACTS}/{contact['id']}", "DELETE").status_code == 204
    assert write("key").json() == contact
    with gateway_db.connection() as conn:
        conn.execute("update idempotency_keys set claimed_at = claimed_at - interval '23 hours'")
    assert write("key").json() == contact
    with gateway_db.connection() as conn:
        conn.execute("update idempotency_keys set claimed_at = claimed_at - interval '1 hour'")
    anew = write("key")
    assert (anew.status_code, anew.json()["id"] != contact["id"]) == (201, True)


def test_what_is_forgotten_is_swept_out(write: Write, gateway_db: Postgres):
    write("key")
    assert idempotency.delete_expired(gateway_db, clock.now() + timedelta(hours=23)) == 0
    assert idempotency.delete_expired(gateway_db, clock.now() + timedelta(hours=24, minutes=1)) == 1
    assert count(gateway_db, "idempotency_keys") == 0


@pytest.mark.usefixtures("owners")
def test_an_owner_does_under_a_key_that_was_forgotten_what_it_is_told(
    write: Write, gateway: Gateway, company: Company, gateway_db: Postgres, comments_db: Postgres
):
    project_states(gateway_db, [state(1)], company.tenant)
    door = f"/api/v1/calls/{call_id(1)}/comment"
    first = write("monday", {"text": "а"}, door, "PUT")
    assert write("tuesday", {"text": "б"}, door, "PUT").json()["version"] == 2
    assert write("monday", {"text": "а"}, door, "PUT").content == first.content
    with gateway_db.connection() as conn:
        conn.execute("update idempotency_keys set claimed_at = claimed_at - interval '1 day'")
    thursday = write("monday", {"text": "а"}, door, "PUT")
    assert (thursday.status_code, thursday.json()["version"]) == (200, 3)
    shown = gateway("GET", f"/api/v1/calls/{call_id(1)}", token=gateway.token("administrator")).json()["comment"]
    assert shown == thursday.json()


def test_what_is_shown_once_is_shown_again_to_the_repeat_only(write: Write, gateway_db: Postgres):
    new = {"kind": "ingest", "name": "АТС"}
    made = write("key", new, "/api/v1/api-keys").json()
    assert write("key", new, "/api/v1/api-keys").json() == made
    with gateway_db.autocommit() as conn:
        [[row]] = conn.execute("select idempotency_keys::text || encode(response, 'escape') from idempotency_keys")
    assert made["key"] not in row


def test_nothing_is_kept_by_which_a_password_that_was_sent_could_be_guessed(write: Write, gateway_db: Postgres):
    body = json.dumps({"current": PASSWORD, "new": "калина при долині"}).encode()
    door, headers = "/api/v1/me/password", {"Content-Type": "application/json"}
    assert write("key", None, door, "PUT", data=body, headers=headers).status_code == 204
    with gateway_db.autocommit() as conn:
        [[asked]] = conn.execute("select request_digest from idempotency_keys")
    assert asked != idempotency.digest("PUT", f"{door}?", "application/json", body)


def test_a_body_that_does_not_come_is_refused_as_it_is_without_a_key(gateway: Gateway, company: Company):
    head = f"POST {CONTACTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token('operator')}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    address = urlsplit(gateway.url)
    for key in ("", "Idempotency-Key: key\r\n"):
        with socket.create_connection((address.hostname, address.port), timeout=5) as line:
            line.sendall(f"{head}{key}{body}".encode())
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_conflict_is_an_answer_too(write: Write, gateway_db: Postgres):
    contact = write("first").json()
    refused = write("key")
    assert refused.status_code == 409
    assert write("del", None, f"{CONTACTS}/{contact['id']}", "DELETE").status_code == 204
    again = write("key")
    assert without_request_id(again) == without_request_id(refused)
    assert again.json()["request_id"] == again.headers["X-Request-Id"] != refused.headers["X-Request-Id"]
    assert count(gateway_db) == 0


def test_who_mends_what_could_not_be_taken_may_keep_the_key(write: Write, gateway_db: Postgres):
    wrong = {**KATERYNA, "number": "не номер"}
    first, again = write("key", wrong), write("key", wrong)
    check_problem(first, 422, "invalid", "number")
    assert without_request_id(again) == without_request_id(first)
    assert write("key").status_code == 201


def test_who_was_not_let_in_may_ask_again_under_the_key(write: Write, gateway_db: Postgres, other_company: Company):
    contact = write("first").json()
    with gateway_db.connection() as conn:
        conn.execute("update contacts set tenant = %s", (other_company.tenant,))
    door, other = f"{CONTACTS}/{contact['id']}", {**KATERYNA, "name": "Інша"}
    assert write("key", other, door, "PUT").status_code == 404
    with gateway_db.connection() as conn:
        conn.execute("update contacts set tenant = 'oselia'")
    assert write("key", other, door, "PUT").json()["name"] == "Інша"


def test_a_deletion_is_repeated_too(write: Write, gateway_db: Postgres):
    door = f"{CONTACTS}/{write('key').json()['id']}"
    assert [write("del", None, door, "DELETE").status_code for _ in range(2)] == [204, 204]
    assert write("other", None, door, "DELETE").status_code == 404


@pytest.mark.parametrize(("key", "status"), [("k" * 128, 201), ("k" * 129, 422), ("", 422)])
def test_a_key_has_up_to_128_characters(write: Write, gateway_db: Postgres, key, status):
    answer = write(key)
    assert answer.status_code == status
    if status == 422:
        assert list(answer.json()["errors"]) == ["Idempotency-Key"]
