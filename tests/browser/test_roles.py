"""Each role walks through the page in the words of its guide, and sees what is its own to see."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_watching import placed
from tests.system.test_journal import told

PLACES = {
    "admin": ["Головна", "Статистика", "Контакти", "Облікові записи", "Тарифи", "Налаштування"],
    "super": ["Головна", "Статистика", "Контакти"],
    "olha": ["Головна", "Статистика", "Контакти"],
    "lesia": ["Головна", "Статистика", "Контакти", "Тарифи"],
}
SEES_ALL = {"admin", "super"}
NOT_OF_OLHA = {"of_petro", "connecting", "missed_offline"}
"""At these her phone was not rung."""


def top(page):
    return page.locator("#nav > ul > li > :is(a, button)").all_inner_texts()


@pytest.mark.parametrize("login", PLACES)
def test_each_role_opens_the_journal_from_the_statistics_and_sees_its_own_calls(open_app, calls, login):
    app = open_app(None).go("/")
    app.sign_in(login)
    page = app.page
    expect(page.locator(".person")).to_be_visible()
    assert [text.strip() for text in top(page)] == PLACES[login]
    page.get_by_role("button", name="Статистика").click()
    page.get_by_role("link", name="Журнал дзвінків").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Журнал дзвінків")
    of_olha = calls.keys() - NOT_OF_OLHA
    shown = {"admin": calls.keys(), "super": calls.keys(), "olha": of_olha, "lesia": set()}[login]
    for name in shown:
        expect(page.locator(f"tr[data-call='{calls[name]}']")).to_be_visible()
    for name in calls.keys() - set(shown):
        expect(page.locator(f"tr[data-call='{calls[name]}']")).to_have_count(0)
    expect(page.get_by_text("Дзвінків ще не було")).to_have_count(0 if shown else 1)


@pytest.mark.parametrize("login", PLACES)
def test_only_leaders_see_the_counters_of_the_day(open_app, calls, login):
    app = open_app(login).go("/")
    expect(app.page.get_by_role("heading", level=1)).to_have_text("Головна")
    expect(app.page.locator(".tile")).to_have_count(4 if login in SEES_ALL else 0)
    if login in SEES_ALL:
        told = app.page.request.get(f"{app.url}/api/v1/journal/summary?period=today").json()
        for name in ("total", "inbound", "outbound", "missed"):
            expect(app.page.locator(f".tile.{name} b")).to_have_text(str(told[name]))


def test_the_counters_of_the_day_are_live(open_app, calls, system):
    app = open_app("super").go("/")
    counted = {name: app.page.locator(f".tile.{name} b") for name in ("total", "inbound", "outbound")}
    expect(counted["total"]).to_have_text(re.compile(r"\d"))
    before = {name: int(one.inner_text()) for name, one in counted.items()}
    call_id = told(system, [placed()])
    expect(app.row(call_id)).to_be_visible()
    expect(counted["total"]).to_have_text(str(before["total"] + 1))
    expect(counted["inbound"]).to_have_text(str(before["inbound"] + 1))
    expect(counted["outbound"]).to_have_text(str(before["outbound"]))


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
    app = open_app(None, expected=True)
    page = app.go("/journal?status=missed").page
    app.sign_in("olha", "не те")
    expect(page.get_by_role("alert").filter(has_text="Логін або пароль не підходить.")).to_be_visible()
    expect(page.get_by_label("Компанія")).to_be_hidden()


def test_the_company_is_asked_for_when_the_login_is_not_unique(open_app, system):
    about = {"login": "petro", "password": "Інше-гасло-компанії-2", "name": "Інший Петро", "role": "operator"}
    assert system.send("POST", "/accounts", "foreign", json=about).status_code == 201
    app = open_app(None, expected=True).go("/")
    page = app.page
    app.sign_in("petro", "Інше-гасло-компанії-2")
    page.get_by_label("Компанія").fill("other")
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_contain_text("Інший Петро")
