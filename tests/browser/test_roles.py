"""What each role sees: navigation, calls, counters and views; signing in and out."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_watching import placed
from tests.system.test_journal import report_call

NAVIGATION = {
    "admin": ["Головна", "Статистика", "Контакти", "Облікові записи", "Тарифи", "Налаштування"],
    "super": ["Головна", "Статистика", "Контакти"],
    "olha": ["Головна", "Статистика", "Контакти"],
    "lesia": ["Головна", "Статистика", "Контакти", "Тарифи"],
}
LEADERS = {"admin", "super"}
CALLS_WITHOUT_OLHA = {"of_petro", "connecting", "missed_offline"}
"""Her phone did not ring in these calls."""


def navigation_texts(page):
    return page.locator("#nav > ul > li > :is(a, button)").all_inner_texts()


@pytest.mark.parametrize("login", NAVIGATION)
def test_each_role_opens_the_journal_from_the_statistics_and_sees_its_own_calls(open_app, calls, login):
    app = open_app(None).go("/")
    app.sign_in(login)
    page = app.page
    expect(page.locator(".person")).to_be_visible()
    assert [text.strip() for text in navigation_texts(page)] == NAVIGATION[login]
    expect(page.locator("main")).not_to_contain_text("false")
    page.get_by_role("button", name="Статистика").click()
    page.get_by_role("link", name="Журнал дзвінків").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Журнал дзвінків")
    calls_of_olha = calls.keys() - CALLS_WITHOUT_OLHA
    expected = {"admin": calls.keys(), "super": calls.keys(), "olha": calls_of_olha, "lesia": set()}[login]
    for name in expected:
        expect(page.locator(f"tr[data-call='{calls[name]}']")).to_be_visible()
    for name in calls.keys() - set(expected):
        expect(page.locator(f"tr[data-call='{calls[name]}']")).to_have_count(0)
    expect(page.get_by_text("Дзвінків ще не було")).to_have_count(0 if expected else 1)


@pytest.mark.parametrize("login", NAVIGATION)
def test_only_leaders_see_the_counters_of_the_day(open_app, calls, login):
    app = open_app(login).go("/")
    expect(app.page.get_by_role("heading", level=1)).to_have_text("Головна")
    expect(app.page.locator(".tile")).to_have_count(4 if login in LEADERS else 0)
    if login in LEADERS:
        summary = app.page.request.get(f"{app.url}/api/v1/journal/summary?period=today").json()
        for name in ("total", "inbound", "outbound", "missed"):
            expect(app.page.locator(f".tile.{name} b")).to_have_text(str(summary[name]))


def test_the_counters_of_the_day_are_live(open_app, calls, system):
    app = open_app("super").go("/")
    counters = {name: app.page.locator(f".tile.{name} b") for name in ("total", "inbound", "outbound")}
    expect(counters["total"]).to_have_text(re.compile(r"\d"))
    before = {name: int(counter.inner_text()) for name, counter in counters.items()}
    call_id = report_call(system, [placed()])
    expect(app.row(call_id)).to_be_visible()
    expect(counters["total"]).to_have_text(str(before["total"] + 1))
    expect(counters["inbound"]).to_have_text(str(before["inbound"] + 1))
    expect(counters["outbound"]).to_have_text(str(before["outbound"]))


@pytest.mark.parametrize(("login", "path"), [("olha", "/accounts"), ("super", "/tariffs"), ("lesia", "/settings")])
def test_a_view_of_other_roles_is_not_found(open_app, login, path):
    page = open_app(login).go(path).page
    expect(page.get_by_text("Такої сторінки немає")).to_be_visible()


def test_signing_out_ends_the_session(open_app, calls):
    app = open_app(None).go("/")
    app.sign_in("olha")
    page = app.page
    page.locator(".person").click()
    page.get_by_role("button", name="Вийти").click()
    expect(page.get_by_label("Логін")).to_be_focused()
    app.go("/journal")
    expect(page.get_by_label("Пароль")).to_be_visible()


def test_a_wrong_password_is_reported_without_asking_for_the_company(open_app):
    app = open_app(None, errors_expected=True)
    page = app.go("/journal?status=missed").page
    app.sign_in("olha", "не те")
    expect(page.get_by_role("alert").filter(has_text="Логін або пароль не підходить.")).to_be_visible()
    expect(page.get_by_label("Компанія")).to_be_hidden()


def test_the_company_is_asked_for_when_the_login_is_not_unique(open_app, system):
    account = {"login": "petro", "password": "Інше-гасло-компанії-2", "name": "Інший Петро", "role": "operator"}
    assert system.send("POST", "/accounts", "foreign", json=account).status_code == 201
    app = open_app(None, errors_expected=True).go("/")
    page = app.page
    app.sign_in("petro", "Інше-гасло-компанії-2")
    page.get_by_label("Компанія").fill("other")
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_contain_text("Інший Петро")
