"""The whole system with a day of calls, used through a browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import day
from tests.browser.page_object import CHROMIUM_ARGUMENTS, JournalApp, new_context
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
    """The ids of calls, one of every status, by status."""
    return day.report_day(system)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def contexts() -> dict[str, BrowserContext]:
    """The browser context of each login; it keeps cookies and the cached files of the page."""
    return {}


@pytest.fixture
def open_app(
    browser: Browser, system: System, contexts: dict[str, BrowserContext]
) -> Iterator[Callable[..., JournalApp]]:
    """`open_app(login, **options)` opens the page signed in; console errors fail the test unless `errors_expected`."""
    apps: list[JournalApp] = []

    def open_as(login: str | None = "admin", errors_expected: bool = False, **options: object) -> JournalApp:
        context = contexts.get(login or "") if not options else None
        app = JournalApp(context or new_context(browser, **options), system, errors_expected)
        apps.append(app)
        if login and not context:
            app.restore_session(login)
        if login and not options:
            contexts[login] = app.context
        return app

    yield open_as
    for app in apps:
        app.close()
        if app.context not in contexts.values():
            app.context.close()
