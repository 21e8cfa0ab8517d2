"""The whole system, with processes that these tests may kill."""

from collections.abc import Iterator

import pytest

from tests.support.infrastructure import Stack
from tests.support.system import System
from tests.system.conftest import on_servers


@pytest.fixture(scope="module")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    yield from on_servers(stack, tmp_path_factory.mktemp("services"))
