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
def test_each_role_opens_the_journal_from_the_statistics_and_sees_its_own_calls(visit, calls, login):
    visitor = visit(None).go("/")
    visitor.sign_in(login)
    page = visitor.page
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
def test_only_leaders_have_the_days_counters(visit, calls, login):
    visitor = visit(login).go("/")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Головна")
    expect(visitor.page.locator(".tile")).to_have_count(4 if login in SEES_ALL else 0)
    if login in SEES_ALL:
        told = visitor.page.request.get(f"{visitor.url}/api/v1/journal/summary?period=today").json()
        for name in ("total", "inbound", "outbound", "missed"):
            expect(visitor.page.locator(f".tile.{name} b")).to_have_text(str(told[name]))


def test_the_days_counters_count_on_while_they_are_looked_at(visit, calls, system):
    visitor = visit("super").go("/")
    counted = {name: visitor.page.locator(f".tile.{name} b") for name in ("total", "inbound", "outbound")}
    expect(counted["total"]).to_have_text(re.compile(r"\d"))
    before = {name: int(one.inner_text()) for name, one in counted.items()}
    call_id = told(system, [placed()])
    expect(visitor.row(call_id)).to_be_visible()
    expect(counted["total"]).to_have_text(str(before["total"] + 1))
    expect(counted["inbound"]).to_have_text(str(before["inbound"] + 1))
    expect(counted["outbound"]).to_have_text(str(before["outbound"]))


@pytest.mark.parametrize(("login", "path"), [("olha", "/accounts"), ("super", "/tariffs"), ("lesia", "/settings")])
def test_a_place_of_other_roles_is_not_there(visit, login, path):
    page = visit(login).go(path).page
    expect(page.get_by_text("Такої сторінки немає")).to_be_visible()


def test_who_signs_out_is_out(visit, calls):
    visitor = visit(None).go("/")
    visitor.sign_in("olha")
    page = visitor.page
    page.locator(".person").click()
    page.get_by_role("button", name="Вийти").click()
    expect(page.get_by_label("Логін")).to_be_focused()
    visitor.go("/journal")
    expect(page.get_by_label("Пароль")).to_be_visible()


def test_a_wrong_password_is_told_and_the_company_is_not_asked_for(visit):
    visitor = visit(None, expected=True)
    page = visitor.go("/journal?status=missed").page
    visitor.sign_in("olha", "не те")
    expect(page.get_by_role("alert").filter(has_text="Логін або пароль не підходить.")).to_be_visible()
    expect(page.get_by_label("Компанія")).to_be_hidden()


def test_the_company_is_asked_for_when_the_login_is_not_unique(visit, system):
    about = {"login": "petro", "password": "Інше-гасло-компанії-2", "name": "Інший Петро", "role": "operator"}
    assert system.send("POST", "/accounts", "foreign", json=about).status_code == 201
    visitor = visit(None, expected=True).go("/")
    page = visitor.page
    visitor.sign_in("petro", "Інше-гасло-компанії-2")
    page.get_by_label("Компанія").fill("other")
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_contain_text("Інший Петро")
