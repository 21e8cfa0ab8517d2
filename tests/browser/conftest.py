"""The whole system, with a day of calls in it, looked at by people with a browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from shared.testing.infrastructure import Stack
from shared.testing.system import System
from tests.browser import day
from tests.browser.visitor import ARGUMENTS, Visitor
from tests.system.conftest import on_servers


@pytest.fixture(scope="package")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    for system in on_servers(stack, tmp_path_factory.mktemp("services")):
        system.processes["billing"].kill()
        system.start("billing", PRICE_DELAY="1")
        assert system.send("PATCH", "/settings", "admin", json={"price_delay_seconds": 1}).ok
        yield system


@pytest.fixture(scope="package")
def calls(system: System) -> dict[str, str]:
    """The id of a call of every status, by its name."""
    return day.happen(system)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, system: System) -> Iterator[Callable[..., Visitor]]:
    """`visit(login, **how)`: somebody who has signed in. A normal visit leaves no error in the browser's console."""
    visitors: list[Visitor] = []

    def come(login: str | None = "admin", **how: object) -> Visitor:
        visitors.append(Visitor(browser, system, **how))
        if login:
            visitors[-1].come_in(login)
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()
