"""The table of calls: what stands in it, how it is found, and what a row shows when it is opened."""

import csv
import re
from io import StringIO
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.day import DAY

HEADINGS = ["Тип", "Статус", "Хто дзвонив", "Кому дзвонили", "Тривалість", "Час та дата"]
MEANINGS = {
    "answered": "Дзвонили та дзвінок був прийнятий оператором",
    "unreachable": "Телефонували і телефон абонента вимкнений або недоступний",
    "declined": "Дзвонили та абонент скинув",
    "no_answer": "Дзвонили абоненту і без відповіді",
    "cancelled": "Оператор здійснив дзвінок та скинув",
    "missed": "Пропущений виклик",
    "returned": "Передзвонили на пропущений дзвінок",
    "unknown_error": "Невідома помилка",
    "network_error": "Спілкувалися і помилка мережі",
    "ringing": "Дзвінок йде в процесі (гудки)",
    "connecting": "Спроба підключення до оператора",
    "no_channels": "Обрив дзвінка через відсутність вільних каналів",
    "missed_offline": "Пропущений дзвінок від абонента в офлайн стані",
}


def test_the_headings_are_those_of_the_guide(visit, calls):
    page = visit().journal().page
    assert page.locator("thead th:visible").all_inner_texts()[1:7] == HEADINGS


def test_every_status_has_an_icon_of_its_own_that_says_what_it_means(visit, calls):
    visitor = visit().journal()
    drawn = set()
    for status in DAY:
        icon = visitor.cell(calls[status], "status").get_by_role("img")
        expect(icon).to_have_accessible_name(MEANINGS[status])
        expect(icon.locator("title")).to_have_text(MEANINGS[status])
        drawn.add((icon.evaluate("icon => getComputedStyle(icon).color"), icon.locator(".mark").get_attribute("class")))
    assert len(drawn) == len(DAY) == 13


def test_the_legend_shows_all_thirteen_on_one_screen(visit):
    page = visit().go("/legend").page
    page.locator("main section svg.call").first.wait_for()
    shown = page.locator("main section:first-of-type svg.call").all()
    assert {icon.get_attribute("aria-label") for icon in shown} == set(MEANINGS.values())
    assert all(icon.bounding_box()["y"] < 900 for icon in shown)


def test_a_call_is_told_as_in_the_guide(visit, calls):
    visitor = visit().journal()
    answered = calls["answered"]
    assert visitor.cell(answered, "caller").inner_text() == "Катерина Власова\n+38 (050) 111-22-33"
    assert visitor.cell(answered, "callee").inner_text() == "Ольга Кобилянська\n+38 (044) 330-30-18"
    assert visitor.cell(answered, "talk").inner_text() == "00:01:48"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\n\d\d\.\d\d\.20\d\d", visitor.cell(answered, "placed").inner_text())
    expect(visitor.cell(answered, "callee").get_by_role("img", name="Завершив дзвінок")).to_be_visible()
    expect(visitor.cell(answered, "caller").get_by_role("img")).to_have_count(0)
    assert visitor.cell(calls["missed"], "caller").inner_text() == "+38 (067) 000-00-15"
    assert visitor.cell(calls["missed"], "talk").inner_text() == "—"


def test_an_opened_row_tells_the_times_the_price_and_what_happened(visit, calls):
    opened = visit().journal().open(calls["network_error"])
    facts = dict(zip(opened.locator("dt").all_inner_texts(), opened.locator("dd").all_inner_texts(), strict=True))
    names = ["Початок дзвінка", "Початок розмови", "Кінець дзвінка", "Очікування дзвінка", "Ціна"]
    assert set(names) <= set(facts)
    assert facts["Очікування дзвінка"] == "00:00:06"
    assert facts["Ціна"].startswith("0,056\xa0грн")
    opened.get_by_role("button", name="Чому така ціна?").click()
    expect(opened.get_by_text("Тариф «Базовий»")).to_be_visible()
    expect(opened.get_by_text("Розмова 14 с, оплачується 14 с")).to_be_visible()
    steps = opened.locator(".course li")
    expect(steps).to_have_count(5)
    expect(steps.first).to_contain_text("Набрано номер +38 (067) 000-00-18")
    expect(steps.last).to_contain_text("Визначено ціну: 0,056")


def test_times_are_the_companys_wherever_the_browser_is(visit, calls, system):
    placed_at = system.entry(calls["answered"], "admin")["placed_at"]
    visitor = visit().journal()
    kyiv = visitor.page.evaluate(
        "at => new Date(at).toLocaleTimeString('uk-UA', {timeZone: 'Europe/Kyiv', hourCycle: 'h23'})", placed_at
    )
    assert visitor.cell(calls["answered"], "placed").inner_text().splitlines()[0] == kyiv


def test_english_is_spoken_too(visit, calls):
    page = visit(language="en").journal().page
    assert page.locator("thead th:visible").all_inner_texts()[1:4] == ["Type", "Status", "Who called"]
    page.get_by_role("button", name="Українська").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Журнал дзвінків")


def test_a_filter_stands_in_the_address_and_a_link_brings_it_back(visit, calls):
    visitor = visit().journal()
    page = visitor.page
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("checkbox", name="Пропущений виклик").check()
    expect(page.locator("tr.call")).to_have_count(1)
    page.get_by_role("checkbox", name="Вихідні").check()
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    page.get_by_role("checkbox", name="Вихідні").uncheck()
    assert page.url.endswith("/journal?status=missed")
    page.reload()
    expect(page.locator("tr.call")).to_have_count(1)
    expect(visitor.row(calls["missed"])).to_be_visible()


def test_a_name_a_number_and_an_operator_are_found(visit, calls):
    visitor = visit().journal()
    page = visitor.page
    page.get_by_role("searchbox", name="Пошук").fill("власова")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(visitor.row(calls["answered"])).to_be_visible()
    page.get_by_role("searchbox", name="Пошук").fill("067 000 00 15")
    expect(visitor.row(calls["missed"])).to_be_visible()
    expect(page.get_by_role("searchbox", name="Пошук")).to_be_focused()
    visitor.journal()
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("combobox", name="Оператор").select_option("Петро Вовк")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(visitor.row(calls["of_petro"])).to_be_visible()


def test_pages_are_turned_there_and_back(visit, calls):
    visitor = visit().go("/legend")
    page = visitor.page
    page.evaluate("localStorage.page_size = '25'")
    page.route(
        "**/api/v1/journal?*limit=25*",
        lambda route: route.continue_(url=route.request.url.replace("limit=25", "limit=6")),
    )
    visitor.journal()
    newest = [page.locator("tr.call").nth(n).get_attribute("data-call") for n in range(6)]
    expect(page.get_by_role("button", name="Попередня")).to_be_disabled()
    page.get_by_role("button", name="Наступна").click()
    expect(visitor.row(newest[0])).to_have_count(0)
    expect(page.locator("tr.call")).to_have_count(6)
    page.get_by_role("button", name="Попередня").click()
    expect(visitor.row(newest[0])).to_be_visible()
    page.go_back()
    expect(visitor.row(newest[0])).to_have_count(0)


def test_the_choice_of_columns_is_kept(visit, calls):
    visitor = visit().journal()
    page = visitor.page
    page.get_by_role("button", name="Колонки").click()
    page.get_by_role("checkbox", name="Ціна").check()
    page.get_by_role("checkbox", name="Тип").uncheck()
    page.keyboard.press("Escape")
    expect(visitor.cell(calls["answered"], "price")).to_have_text("0,00\xa0грн")
    page.reload()
    expect(page.locator("thead th.price")).to_be_visible()
    expect(page.locator("thead th.type")).to_have_count(0)


def test_what_is_filtered_is_exported(visit, calls):
    page = visit().journal("?status=missed&status=returned").page
    page.get_by_role("button", name="Експорт").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == 1 + 2
