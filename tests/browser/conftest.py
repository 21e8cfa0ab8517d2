"""The whole system, with a day of calls in it, looked at by people with a browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import day
from tests.browser.page_object import ARGUMENTS, Visitor, surroundings
from tests.support.infrastructure import Stack
from tests.support.system import System
from tests.system.conftest import on_servers


@pytest.fixture(scope="package")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    for system in on_servers(stack, tmp_path_factory.mktemp("services")):
        for login in ("admin", "foreign"):
            assert system.send("PATCH", "/settings", login, json={"price_delay_seconds": 1}).ok
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


@pytest.fixture(scope="package")
def desks() -> dict[str, BrowserContext]:
    """The browser of each login, which keeps the page's files as browsers do."""
    return {}


@pytest.fixture
def visit(browser: Browser, system: System, desks: dict[str, BrowserContext]) -> Iterator[Callable[..., Visitor]]:
    """`visit(login, **how)`: somebody who has signed in. A normal visit leaves no error in the browser's console."""
    visitors: list[Visitor] = []

    def come(login: str | None = "admin", expected: bool = False, **how: object) -> Visitor:
        known = desks.get(login or "") if not how else None
        visitor = Visitor(known or surroundings(browser, **how), system, expected)
        visitors.append(visitor)
        if login and not known:
            visitor.come_in(login)
        if login and not how:
            desks[login] = visitor.context
        return visitor

    yield come
    for visitor in visitors:
        visitor.leave()
        if visitor.context not in desks.values():
            visitor.context.close()
