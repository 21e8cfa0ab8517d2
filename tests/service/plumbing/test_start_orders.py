"""Broker, database, cache and service may come up in any order."""

from collections.abc import Iterator
from itertools import permutations

import pytest
import requests

from tests.sizes import SIZES, Size, sized
from tests.support.infrastructure import Services, Stack, eventually, free_port
from tests.support.proxy import Proxy

SERVERS = ("AMQP_URI", "DATABASE_URL", "REDIS_URL")
GATEWAY = "services.gateway.service:GatewayService"
ORDERS = list(permutations((*SERVERS, "service")))


@pytest.fixture
def servers(stack: Stack) -> Iterator[dict[str, Proxy]]:
    made = {name: Proxy(stack.env("gateway")[name]) for name in SERVERS}
    yield made
    for proxy in made.values():
        proxy.close()


@sized("R27")
def test_whatever_comes_up_first_all_is_well_when_the_last_is_there(
    size: Size, services: Services, servers: dict[str, Proxy]
) -> None:
    assert len(ORDERS) == SIZES["R27"][1].orders
    for order in ORDERS[:: len(ORDERS) // size.orders]:
        for server in servers.values():
            server.cut()
        port, told = free_port(), {name: server.uri for name, server in servers.items()}
        for one in order:
            if one == "service":
                gateway = services.start(GATEWAY, of="gateway", ready=False, WEB_ADDRESS=f"127.0.0.1:{port}", **told)
            else:
                servers[one].resume()
        eventually(lambda port=port: ready(port), seconds=60)
        assert gateway.alive()
        gateway.kill()


def ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
