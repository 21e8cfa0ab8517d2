"""One gateway for all tests of its doors; each test has companies of its own."""

from collections.abc import Iterator

import pytest

from shared.plumbing.database import Postgres
from shared.testing.infrastructure import Services, Stack, free_port
from shared.testing.proxy import Proxy
from tests.service.gateway.stage import Company, Gateway, Remote, found

SERVICE = "services.gateway.service:GatewayService"
PATIENT = {"FAILED_SIGN_INS_PER_ACCOUNT": "10000", "FAILED_SIGN_INS_PER_ADDRESS": "10000"}
"""Tests of other things show wrong passwords as often as they like."""


@pytest.fixture(scope="session")
def gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    services = Services(stack, tmp_path_factory.mktemp("gateway"))
    services.start(SERVICE, of="gateway", **PATIENT)
    yield Gateway(f"http://{stack.env('gateway')['WEB_ADDRESS']}")
    services.stop()


@pytest.fixture
def remote(stack: Stack, services: Services) -> Iterator[Remote]:
    names = {"database": "DATABASE_URL", "broker": "AMQP_URI", "cache": "REDIS_URL"}
    lines = {server: Proxy(stack.env("gateway")[name]) for server, name in names.items()}
    address = f"127.0.0.1:{free_port()}"
    told = {name: lines[server].uri for server, name in names.items()}
    services.start(SERVICE, of="gateway", WEB_ADDRESS=address, **told)
    yield Remote(Gateway(f"http://{address}"), lines)
    for line in lines.values():
        line.close()


@pytest.fixture
def company(gateway_db: Postgres) -> Company:
    return found(gateway_db, "oselia")


@pytest.fixture
def other_company(gateway_db: Postgres, company: Company) -> Company:
    return found(gateway_db, "krynytsia", "other-")
