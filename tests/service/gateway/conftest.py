"""One gateway for all tests of its doors; each test has companies of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.contracts.topology import EVENT_SOURCES, PROCESSES
from shared.plumbing.database import Postgres
from tests.service.gateway.callers import Callers
from tests.service.gateway.factories import Company, Gateway, Remote, found, program
from tests.service.gateway.samples import Homes
from tests.service.gateway.scenario import World
from tests.support.in_process import URL, InProcessService, in_process
from tests.support.infrastructure import Services, Stack, emptied, free_port
from tests.support.proxy import Proxy

SERVICE = "services.gateway.service:GatewayService"
PATIENT = {"FAILED_SIGN_INS_PER_ACCOUNT": "10000", "FAILED_SIGN_INS_PER_ADDRESS": "10000", "CALL_AWAITED": "0"}
"""Tests of other things show wrong passwords as often as they like, and wait for no call that does not come."""
HOMES = ("calls", "billing", "comments", "recordings")


@pytest.fixture(scope="package")
def gateway_process(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    services = Services(stack, tmp_path_factory.mktemp("gateway"))
    services.start(SERVICE, of="gateway", **PATIENT)
    yield Gateway(f"http://{stack.env('gateway')['WEB_ADDRESS']}")
    services.stop()


@pytest.fixture(scope="package")
def gateway_service(stack: Stack) -> Iterator[InProcessService]:
    with in_process(SERVICE, {**stack.env("gateway"), **PATIENT}) as service:
        yield service


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway in this process; a process of its own for the modules that are marked `process`."""
    if request.node.get_closest_marker("process"):
        yield request.getfixturevalue("gateway_process")
        return
    service: InProcessService = request.getfixturevalue("gateway_service")
    with service.session(program()) as session:
        yield Gateway(URL, session)


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


@pytest.fixture(scope="module")
def world(stack: Stack, gateway: Gateway) -> Iterator[World]:
    with ExitStack() as databases:
        gateway_db, *owners_dbs = (databases.enter_context(emptied(stack, name)) for name in ("gateway", *HOMES))
        company, other = found(gateway_db, "oselia"), found(gateway_db, "krynytsia", "other-")
        callers = Callers(stack, gateway_db, company, other)
        yield World(gateway, callers, Homes(gateway_db, *owners_dbs), company, other)


@pytest.fixture(scope="module")
def owners(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The services that the gateway calls, where the gateway is: in this process, or in processes of their own."""
    if request.node.get_closest_marker("process"):
        services = Services(stack, tmp_path_factory.mktemp("owners"))
        for owner in EVENT_SOURCES:
            services.start(PROCESSES[owner].target, of=owner, ready=False)
        for process in services.running:
            process.wait_until_ready()
        yield
        services.stop()
        return
    gateway: InProcessService = request.getfixturevalue("gateway_service")
    with ExitStack() as started:
        for owner in EVENT_SOURCES:
            gateway.owners[owner] = started.enter_context(in_process(PROCESSES[owner].target, stack.env(owner)))
        yield
        gateway.owners.clear()
