"""What all tests have at hand."""

from pathlib import Path

import pytest
from hypothesis import settings

from shared.testing.infrastructure import (
    billing_db,
    broker,
    calls_db,
    comments_db,
    gateway_db,
    recordings_db,
    services,
    stack,
)

__all__ = ["billing_db", "broker", "calls_db", "comments_db", "gateway_db", "recordings_db", "services", "stack"]

# How long an example takes says how busy the machine is: timings belong to `make bench`.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

NEED_NO_SERVERS = {"unit", "contracts", "architecture"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Of two workers one has the servers to itself, and the other takes what needs none."""
    if item.path.relative_to(Path(__file__).parent).parts[0] not in NEED_NO_SERVERS:
        item.add_marker(pytest.mark.xdist_group("servers"))
