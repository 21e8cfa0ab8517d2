"""What is revoked on one gateway is refused by the other within two seconds, with Redis there or not."""

from collections.abc import Iterator

import pytest

from services.gateway.directory import repository
from shared.plumbing.database import Postgres
from tests.service.gateway.conftest import SERVICE
from tests.service.gateway.factories import Company, Gateway, report
from tests.support.infrastructure import Services, Stack, eventually, free_port
from tests.support.proxy import Proxy

pytestmark = pytest.mark.process

ME, OUT = "/api/v1/me", "/api/v1/sessions/current"
AT_MOST = 2.0


@pytest.fixture(scope="module")
def other(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Proxy]]:
    """Another gateway, with a line to Redis that can be cut."""
    services, line = Services(stack, tmp_path_factory.mktemp("other")), Proxy(stack.env("gateway")["REDIS_URL"])
    address = f"127.0.0.1:{free_port()}"
    services.start(SERVICE, of="gateway", WEB_ADDRESS=address, REDIS_URL=line.uri)
    yield Gateway(f"http://{address}"), line
    services.stop()
    line.close()


@pytest.fixture(params=["with Redis", "without Redis"])
def elsewhere(request: pytest.FixtureRequest, other: tuple[Gateway, Proxy]) -> Iterator[Gateway]:
    there, line = other
    if request.param == "without Redis":
        line.cut()
    yield there
    line.resume()


def test_who_signs_out_here_is_out_there(gateway: Gateway, elsewhere: Gateway, company: Company):
    token = gateway.token("operator")
    assert elsewhere("GET", ME, token=token).status_code == 200
    assert gateway("DELETE", OUT, token=token).status_code == 204
    eventually(lambda: elsewhere("GET", ME, token=token).status_code == 401, seconds=AT_MOST)


@pytest.mark.parametrize(
    "change",
    [
        "update accounts set disabled_at = now() where login = 'operator'",
        "update accounts set session_version = session_version + 1 where login = 'operator'",
    ],
    ids=["disabled", "changed"],
)
def test_an_account_that_is_disabled_or_changed_is_out_everywhere(
    gateway: Gateway, elsewhere: Gateway, company: Company, gateway_db: Postgres, change
):
    token = elsewhere.token("operator")
    assert {one("GET", ME, token=token).status_code for one in (gateway, elsewhere)} == {200}
    with gateway_db.connection() as conn:
        conn.execute(change)
    for one in (gateway, elsewhere):
        eventually(lambda one=one: one("GET", ME, token=token).status_code == 401, seconds=AT_MOST)


def test_a_new_password_or_role_ends_what_was_begun_before(
    gateway: Gateway, elsewhere: Gateway, company: Company, gateway_db: Postgres
):
    for password, role in (("новий пароль", "operator"), ("новий пароль", "supervisor")):
        old = elsewhere.token("operator", *([] if role == "operator" else [password]))
        with gateway_db.connection() as conn:
            repository.ensure_account(conn, company.tenant, "operator", password, "Operator", role)
        eventually(lambda old=old: elsewhere("GET", ME, token=old).status_code == 401, seconds=AT_MOST)
    assert elsewhere("GET", ME, token=gateway.token("operator", password)).json()["role"] == "supervisor"


def test_a_revoked_key_is_refused_everywhere(
    gateway: Gateway, elsewhere: Gateway, company: Company, gateway_db: Postgres
):
    key = company.keys["ingest"]
    assert elsewhere.send(key, report(company)).status_code == 202
    with gateway_db.connection() as conn:
        repository.ensure_api_key(conn, company.tenant, "ingest", "test", "another key")
    eventually(lambda: elsewhere.send(key, report(company)).status_code == 401, seconds=AT_MOST)
