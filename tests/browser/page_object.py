"""Somebody with a browser."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.support.system import PASSWORD, System

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 10_000
KEPT: dict[str, dict[str, str]] = {}
"""The cookies of each login."""


def surroundings(browser: Browser, language: str = "uk", **how: Any) -> BrowserContext:
    how = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "America/New_York", **how}
    context = browser.new_context(**how)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(f"localStorage.language ??= '{language}'")
    return context


class Visitor:
    """`page` is Playwright's. `errors` is what the console has said; `leave` finds none unless they were `expected`."""

    def __init__(self, context: BrowserContext, system: System, expected: bool = False):
        self.context = context
        self.page = context.new_page()
        self.errors: list[str] = []
        self.expected = expected
        self.system = system
        self.url = system.url.removesuffix("/api/v1")
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, path: str) -> "Visitor":
        self.page.goto(f"{self.url}{path}")
        return self

    def come_in(self, login: str) -> None:
        """Signed in already, as one comes in the morning after."""
        if login not in KEPT:
            KEPT[login] = dict(self.system.sign_in(login).cookies)
        self.context.add_cookies(
            [{"name": name, "value": value, "url": self.url} for name, value in KEPT[login].items()]
        )

    def sign_in(self, login: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("Логін").fill(login)
        self.page.get_by_label("Пароль").fill(password)
        self.page.get_by_role("button", name="Увійти").click()

    def journal(self, query: str = "") -> "Visitor":
        self.go(f"/journal{query}")
        expect(self.page.locator(".pill.live").first).to_be_visible()
        self.page.locator(".feed :is(table, .empty-note)").first.wait_for()
        return self

    def row(self, call_id: str) -> Locator:
        return self.page.locator(f"tr[data-call='{call_id}']")

    def cell(self, call_id: str, name: str) -> Locator:
        return self.row(call_id).locator(f"td.{name}")

    def open(self, call_id: str) -> Locator:
        """The opened row of a call."""
        self.row(call_id).locator(".chevron").click()
        return self.page.locator(f"tr[data-call='{call_id}'] + tr.more .call-details")

    def leave(self) -> None:
        """What was chosen here is not known to who comes next."""
        if self.page.url.startswith(self.url):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.close()
        assert self.expected or self.errors == []
