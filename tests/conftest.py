"""Fixtures of all tests, and how the tests are distributed to the workers of `pytest -n`."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from tests.support.infrastructure import (
    billing_db,
    broker,
    calls_db,
    comments_db,
    gateway_db,
    recordings_db,
    services,
    stack,
)
from tests.support.scheduling import Scheduling, encodable, order

__all__ = ["billing_db", "broker", "calls_db", "comments_db", "gateway_db", "recordings_db", "services", "stack"]

# How long an example takes says how busy the machine is: timings belong to `make bench`.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = order(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    return encodable((yield))
