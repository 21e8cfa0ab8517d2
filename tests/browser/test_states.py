"""What is shown while something waits, fails or is away; and that everybody can read and reach all of it."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PATHS = ["/", "/journal", "/legend", "/contacts", "/accounts", "/tariffs"]


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


@pytest.mark.parametrize(
    ("scheme", "language", "width"), [("light", "uk", 1440), ("dark", "en", 1440), ("dark", "uk", 360)]
)
def test_nobody_is_kept_out(visit, calls, scheme, language, width):
    visitor = visit(
        color_scheme=scheme, language=language, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    page = visitor.page
    for path in PATHS:
        visitor.go(path)
        page.locator("main :is(table, .meanings)").first.wait_for()
        if path == "/journal":
            page.locator(".chevron").nth(3).click()
            page.locator(".course li").first.wait_for()
            page.locator(".filter-button").click()
        assert told(Axe().run(page)) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"


def test_dialogs_and_the_way_in_keep_nobody_out(visit, calls):
    visitor = visit()
    page = visitor.journal().page
    visitor.row(calls["cancelled"]).locator(".actions button").first.click()
    assert told(Axe().run(page)) == []
    visitor.go("/accounts")
    page.get_by_role("button", name="Новий запис").click()
    assert told(Axe().run(page)) == []
    assert told(Axe().run(visit(None).go("/").page)) == []


def told(results):
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in results.response["violations"]]


def test_a_row_is_opened_and_commented_without_a_mouse(visit, calls):
    page = visit().journal().page
    page.locator(".chevron").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".opened")).to_be_visible()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.actions') !== null")
