"""What is shown while something waits, fails or is away; and that everybody can read and reach all of it."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PATHS = ["/", "/journal", "/legend", "/contacts", "/accounts", "/tariffs"]
PATHS += ["/rerating", "/charges", "/report", "/settings", "/keys"]
TARGETS_TOO = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
"""WCAG 2.2's rule that axe leaves out unless it is asked."""


def degraded(route):
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"degraded": ["billing"]})


def test_billing_that_does_not_answer_is_told_and_the_journal_works(visit, calls):
    visitor = visit()
    visitor.page.route("**/api/v1/journal?*", degraded)
    visitor.journal()
    expect(visitor.page.get_by_text("Тарифікація не відповідає: журнал працює")).to_be_visible()
    expect(visitor.row(calls["answered"])).to_be_visible()


def test_a_server_that_fails_is_told_and_may_be_asked_again(visit, calls):
    visitor = visit(expected=True)
    page = visitor.page
    problem = {"type": "failed", "title": "Failed", "status": 500, "instance": "urn:uuid:12ab"}
    broken = {"status": 500, "content_type": "application/problem+json", "body": json.dumps(problem)}
    page.route("**/api/v1/journal?*", lambda route: route.fulfill(**broken))
    visitor.go("/journal")
    expect(page.get_by_role("alert")).to_contain_text("Не вдалося показати")
    expect(page.get_by_role("alert")).to_contain_text("12ab")
    page.unroute("**/api/v1/journal?*")
    page.get_by_role("button", name="Спробувати ще раз").click()
    expect(visitor.row(calls["answered"])).to_be_visible()


def test_what_waits_is_seen_to_wait(visit, calls):
    visitor = visit()
    held = []
    visitor.page.route("**/api/v1/journal?*", lambda route: held.append(route))
    with visitor.page.expect_request("**/api/v1/journal?*"):
        visitor.go("/journal")
    expect(visitor.page.get_by_role("status", name="Завантаження…")).to_be_visible()
    held[0].continue_()
    expect(visitor.row(calls["answered"])).to_be_visible()


def look(visitor, path):
    page = visitor.go(path).page
    page.locator("main :is(table, .meanings, form, .empty-note)").first.wait_for()
    if path == "/journal":
        page.locator(".chevron").nth(3).click()
        page.locator(".timeline li").first.wait_for()
        page.locator(".filter-button").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
    return page


def test_nobody_is_kept_out_of_any_place(visit, calls):
    visitor = visit(color_scheme="light", reduced_motion="reduce")
    for path in PATHS:
        assert violations(look(visitor, path)) == []


@pytest.mark.parametrize(("language", "size"), [("en", (3840, 2160)), ("uk", (360, 740))])
def test_nobody_is_kept_out_in_the_dark_by_the_largest_and_the_smallest_screen(visit, calls, language, size):
    viewport = dict(zip(("width", "height"), size, strict=True))
    visitor = visit(color_scheme="dark", reduced_motion="reduce", language=language, viewport=viewport)
    for path in PATHS:
        page = look(visitor, path)
        if path in ("/journal", "/report"):
            assert violations(page) == []


def test_dialogs_and_the_way_in_keep_nobody_out(visit, calls):
    visitor = visit()
    page = visitor.journal().page
    visitor.row(calls["cancelled"]).locator(".actions button").first.click()
    assert violations(page) == []
    visitor.go("/accounts")
    page.get_by_role("button", name="Новий запис").click()
    assert violations(page) == []
    assert violations(visit(None).go("/").page) == []


def violations(page):
    found = Axe().run(page, options=TARGETS_TOO).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


def test_a_row_is_opened_and_commented_without_a_mouse(visit, calls):
    page = visit().journal().page
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


REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((one) => !one.disabled && one.checkVisibility() && one.getClientRects().length).length"""
STANDS_ON = """() => {
    const one = document.activeElement;
    if (one === document.body) return [false, "solid", ""];
    window.stoodOn ??= new Set();
    const known = window.stoodOn.has(one);
    window.stoodOn.add(one);
    return [known, getComputedStyle(one).outlineStyle, one.outerHTML.slice(0, 120)];
}"""


@pytest.mark.parametrize("path", ["/journal?status=missed", "/settings"])
def test_the_tab_key_goes_to_everything_and_shows_where_it_is(visit, calls, path):
    page = visit().go(path).page
    page.locator("main :is(tr.call, form)").first.wait_for()
    if "journal" in path:
        page.locator(".filter-button").click()
        page.locator(".chevron").first.click()
        page.locator(".timeline li").first.wait_for()
        page.evaluate("document.activeElement.blur()")
    known = False
    while not known:
        page.keyboard.press("Tab")
        known, outline, where = page.evaluate(STANDS_ON)
        assert outline != "none", where
    assert page.evaluate("window.stoodOn.size") == page.evaluate(REACHABLE)


WEIGHT = """() => performance.getEntries().filter((one) => "encodedBodySize" in one)
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def test_a_first_visit_weighs_less_than_150_kilobytes(visit, calls):
    page = visit(locale="uk-UA").journal().page
    page.wait_for_load_state("load")
    assert 30_000 < page.evaluate(WEIGHT) < 150_000
