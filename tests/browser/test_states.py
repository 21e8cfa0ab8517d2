"""Loading, failures, degraded services, accessibility and the size of the page."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

VIEW_PATHS = ["/", "/journal", "/legend", "/contacts", "/accounts", "/tariffs"]
VIEW_PATHS += ["/rerating", "/charges", "/report", "/settings", "/keys"]
AXE_OPTIONS = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
"""The target size of WCAG 2.2 is off by default in axe."""


def add_degraded(route):
    response = route.fetch()
    route.fulfill(response=response, json=response.json() | {"degraded": ["billing"]})


def test_unavailable_billing_is_reported_and_the_journal_works(open_app, calls):
    app = open_app()
    app.page.route("**/api/v1/journal?*", add_degraded)
    app.journal()
    expect(app.page.get_by_text("Тарифікація не відповідає: журнал працює")).to_be_visible()
    expect(app.row(calls["answered"])).to_be_visible()


def test_a_server_error_is_shown_with_a_retry_button(open_app, calls):
    app = open_app(errors_expected=True)
    page = app.page
    problem = {"type": "failed", "title": "Failed", "status": 500, "instance": "urn:uuid:12ab"}
    failure = {"status": 500, "content_type": "application/problem+json", "body": json.dumps(problem)}
    page.route("**/api/v1/journal?*", lambda route: route.fulfill(**failure))
    app.go("/journal")
    expect(page.get_by_role("alert")).to_contain_text("Не вдалося показати")
    expect(page.get_by_role("alert")).to_contain_text("12ab")
    page.unroute("**/api/v1/journal?*")
    page.get_by_role("button", name="Спробувати ще раз").click()
    expect(app.row(calls["answered"])).to_be_visible()


def test_loading_shows_placeholders(open_app, calls):
    app = open_app()
    held_routes = []
    app.page.route("**/api/v1/journal?*", lambda route: held_routes.append(route))
    with app.page.expect_request("**/api/v1/journal?*"):
        app.go("/journal")
    expect(app.page.get_by_role("status", name="Завантаження…")).to_be_visible()
    held_routes[0].continue_()
    expect(app.row(calls["answered"])).to_be_visible()


def open_view(app, path):
    page = app.go(path).page
    page.locator("main :is(table, .meanings, form, .empty-note)").first.wait_for()
    if path == "/journal":
        page.locator(".chevron").nth(3).click()
        page.locator(".timeline li").first.wait_for()
        page.locator(".filter-button").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
    return page


def test_every_view_passes_the_accessibility_checks(open_app, calls):
    app = open_app(color_scheme="light", reduced_motion="reduce")
    for path in VIEW_PATHS:
        assert violations(open_view(app, path)) == []


@pytest.mark.parametrize(("language", "size"), [("en", (3840, 2160)), ("uk", (360, 740))])
def test_the_dark_theme_passes_the_accessibility_checks_on_the_largest_and_smallest_screen(
    open_app, calls, language, size
):
    viewport = dict(zip(("width", "height"), size, strict=True))
    app = open_app(color_scheme="dark", reduced_motion="reduce", language=language, viewport=viewport)
    for path in VIEW_PATHS:
        page = open_view(app, path)
        if path in ("/journal", "/report"):
            assert violations(page) == []


def test_dialogs_and_the_sign_in_page_pass_the_accessibility_checks(open_app, calls):
    app = open_app()
    page = app.journal().page
    app.row(calls["cancelled"]).locator(".actions button").first.click()
    assert violations(page) == []
    app.go("/accounts")
    page.get_by_role("button", name="Новий запис").click()
    assert violations(page) == []
    assert violations(open_app(None).go("/").page) == []


def violations(page):
    results = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    return [(item["id"], [node["html"][:200] for node in item["nodes"]]) for item in results]


def test_a_row_is_opened_and_commented_by_keyboard(open_app, calls):
    page = open_app().journal().page
    page.locator(".chevron").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".call-details")).to_be_visible()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.actions') !== null")


COUNT_FOCUSABLE = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((element) => !element.disabled && element.checkVisibility() && element.getClientRects().length).length"""
DESCRIBE_FOCUS = """() => {
    const element = document.activeElement;
    if (element === document.body) return [false, "solid", ""];
    window.focusedElements ??= new Set();
    const isRepeated = window.focusedElements.has(element);
    window.focusedElements.add(element);
    return [isRepeated, getComputedStyle(element).outlineStyle, element.outerHTML.slice(0, 120)];
}"""


@pytest.mark.parametrize("path", ["/journal?status=missed", "/settings"])
def test_the_tab_key_reaches_everything_with_a_visible_focus(open_app, calls, path):
    page = open_app().go(path).page
    page.locator("main :is(tr.call, form)").first.wait_for()
    if "journal" in path:
        page.locator(".filter-button").click()
        page.locator(".chevron").first.click()
        page.locator(".timeline li").first.wait_for()
        page.evaluate("document.activeElement.blur()")
    is_repeated = False
    while not is_repeated:
        page.keyboard.press("Tab")
        is_repeated, outline, description = page.evaluate(DESCRIBE_FOCUS)
        assert outline != "none", description
    assert page.evaluate("window.focusedElements.size") == page.evaluate(COUNT_FOCUSABLE)


TRANSFER_SIZE = """() => performance.getEntries().filter((entry) => "encodedBodySize" in entry)
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""


def test_a_first_visit_transfers_less_than_150_kilobytes(open_app, calls):
    page = open_app(locale="uk-UA").journal().page
    page.wait_for_load_state("load")
    assert 30_000 < page.evaluate(TRANSFER_SIZE) < 150_000
