"""The whole system with two companies in it: on the private servers, or in containers when those are named."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.contracts.topology import EVENT_SOURCES
from tests.support import compose
from tests.support import system as whole
from tests.support.infrastructure import Broker, Services, Stack, emptied
from tests.support.system import PASSWORD, PROCESSES, System
from tests.system import people


@pytest.fixture(scope="package")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One for all: each test makes calls of its own, and whoever ends a process starts it again."""
    if compose.named():
        yield _in_containers()
    else:
        yield from on_servers(request.getfixturevalue("stack"), tmp_path_factory.mktemp("services"))


def on_servers(stack: Stack, folder: Path) -> Iterator[System]:
    Broker(stack.admin_uri).purge()
    services = Services(stack, folder)
    with ExitStack() as databases:
        for owner in EVENT_SOURCES:
            databases.enter_context(emptied(stack, owner))
        gateway_db = databases.enter_context(emptied(stack, "gateway"))
        with gateway_db.connection() as conn:
            people.move_in(conn, PASSWORD)
        yield from whole.start(stack, services, people.KEYS)
        services.stop()


MOVE_IN = f"""
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as conn:
    move_in(conn, {PASSWORD!r})
"""


def _in_containers() -> System:
    source = Path(people.__file__).read_text()
    compose.run("demo", "ops/stack/run-as-service", "gateway", "python", "-", given=f"{source}\n{MOVE_IN}")
    processes = {name: compose.Process(name) for name in PROCESSES}
    return System(f"{compose.address()}/api/v1", processes, people.KEYS)
