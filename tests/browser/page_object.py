"""The page of the journal in a browser, for the tests."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.support.system import PASSWORD, System

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEFAULT_TIMEOUT_MS = 10_000
SESSION_COOKIES: dict[str, dict[str, str]] = {}
"""The cookies of each login."""


def new_context(browser: Browser, language: str = "uk", **options: Any) -> BrowserContext:
    options = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "America/New_York", **options}
    context = browser.new_context(**options)
    context.set_default_timeout(DEFAULT_TIMEOUT_MS)
    context.add_init_script(f"localStorage.language ??= '{language}'")
    return context


class JournalApp:
    """`page` is Playwright's. `close` fails if the console has `errors`, unless `errors_expected`."""

    def __init__(self, context: BrowserContext, system: System, errors_expected: bool = False):
        self.context = context
        self.page = context.new_page()
        self.errors: list[str] = []
        self.errors_expected = errors_expected
        self.system = system
        self.url = system.url.removesuffix("/api/v1")
        self.page.on(
            "console", lambda message: message.type in ("error", "warning") and self.errors.append(message.text)
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, path: str) -> "JournalApp":
        self.page.goto(f"{self.url}{path}")
        return self

    def restore_session(self, login: str) -> None:
        """Add the cookies of a session, without the sign-in page."""
        if login not in SESSION_COOKIES:
            SESSION_COOKIES[login] = dict(self.system.sign_in(login).cookies)
        self.context.add_cookies(
            [{"name": name, "value": value, "url": self.url} for name, value in SESSION_COOKIES[login].items()]
        )

    def sign_in(self, login: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("Логін").fill(login)
        self.page.get_by_label("Пароль").fill(password)
        self.page.get_by_role("button", name="Увійти").click()

    def journal(self, query: str = "") -> "JournalApp":
        self.go(f"/journal{query}")
        expect(self.page.locator(".pill.live").first).to_be_visible()
        self.page.locator(".feed :is(table, .empty-note)").first.wait_for()
        return self

    def row(self, call_id: str) -> Locator:
        return self.page.locator(f"tr[data-call='{call_id}']")

    def cell(self, call_id: str, name: str) -> Locator:
        return self.row(call_id).locator(f"td.{name}")

    def open(self, call_id: str) -> Locator:
        """Open the details of a call."""
        self.row(call_id).locator(".chevron").click()
        return self.page.locator(f"tr[data-call='{call_id}'] + tr.more .call-details")

    def close(self) -> None:
        """Close the page and clear its stored choices, so that they do not affect the next test."""
        if self.page.url.startswith(self.url):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.close()
        assert self.errors_expected or self.errors == []
