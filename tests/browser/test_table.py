"""The table of calls: columns, icons, details, filters, search, export and languages."""

import csv
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

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


MEANINGS_EN = {
    "answered": "Called, and the operator took the call",
    "unreachable": "Called, and the phone was switched off or out of reach",
    "declined": "Called, and the other side declined",
    "no_answer": "Called, and nobody answered",
    "cancelled": "The operator called and hung up",
    "missed": "Missed call",
    "returned": "A missed call that was called back",
    "unknown_error": "Unknown error",
    "network_error": "They talked until the network failed",
    "ringing": "Ringing",
    "connecting": "Connecting to an operator",
    "no_channels": "Broken off: no free channels",
    "missed_offline": "Missed: nobody was online to take it",
}
NAVY, GREEN, YELLOW, RED, GREY = (
    f"rgb({colour})" for colour in ("28, 63, 122", "22, 122, 69", "192, 128, 0", "191, 43, 34", "106, 113, 124")
)
ICONS = {
    "answered": (GREEN, "tick"),
    "unreachable": (RED, "cross"),
    "declined": (RED, "down"),
    "no_answer": (RED, "dashes"),
    "cancelled": (NAVY, "down"),
    "missed": (YELLOW, "dashes"),
    "returned": (YELLOW, "tick"),
    "unknown_error": (RED, "question"),
    "network_error": (GREY, "down"),
    "ringing": (GREEN, "dashes"),
    "connecting": (GREEN, "turning"),
    "no_channels": (GREY, "squares"),
    "missed_offline": (YELLOW, "ring"),
}
"""The colour of the handset and the mark beside it, for each status."""


def test_a_row_begins_with_the_chevron_and_ends_with_comment_play_and_download(open_app, calls):
    app = open_app().journal()
    page, row = app.page, app.row(calls["answered"])
    assert page.locator("thead th:visible").all_inner_texts()[1:7] == HEADINGS
    columns = row.locator("td").evaluate_all("cells => cells.map((cell) => cell.className.split(' ')[0])")
    assert columns == ["details", "type", "status", "caller", "callee", "talk", "placed", "actions"]
    expect(row.locator("td").first.get_by_role("button")).to_have_attribute("aria-expanded", "false")
    tools = row.locator(".actions :is(button, a)").evaluate_all("tools => tools.map((tool) => tool.title)")
    assert [name.split()[0] for name in tools] == ["Написати", "Прослухати", "Завантажити"] or tools[1:] == [
        "Запису немає",
        "Запису немає",
    ]


def test_every_status_has_its_own_icon_with_its_meaning(open_app, calls):
    app = open_app().journal()
    icons = {}
    for status in DAY:
        icon = app.cell(calls[status], "status").get_by_role("img")
        expect(icon).to_have_accessible_name(MEANINGS[status])
        expect(icon.locator("title")).to_have_text(MEANINGS[status])
        mark = icon.locator(".mark").get_attribute("class").removeprefix("mark ")
        icons[status] = (icon.evaluate("icon => getComputedStyle(icon).color"), mark)
    assert icons == ICONS
    assert len(set(icons.values())) == len(DAY) == 13


def test_the_legend_shows_all_thirteen_on_one_screen_in_both_languages(open_app):
    page = open_app().go("/legend").page
    for meanings in (MEANINGS, MEANINGS_EN):
        expect(page.get_by_role("img", name=meanings["unknown_error"])).to_be_visible()
        icons = page.locator("main section:first-of-type svg.call").all()
        assert {icon.get_attribute("aria-label") for icon in icons} == set(meanings.values())
        assert {icon.locator("title").text_content() for icon in icons} == set(meanings.values())
        assert all(icon.bounding_box()["y"] < 900 for icon in icons)
        page.get_by_role("button", name="English" if meanings is MEANINGS else "Українська").click()


def test_a_call_is_shown_as_in_the_guide(open_app, calls):
    app = open_app().journal()
    answered = calls["answered"]
    assert app.cell(answered, "caller").inner_text() == "Катерина Власова\n+38 (050) 111-22-33"
    assert app.cell(answered, "callee").inner_text() == "Ольга Кобилянська\n+38 (044) 330-30-18"
    assert app.cell(answered, "talk").inner_text() == "00:01:48"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\n\d\d\.\d\d\.20\d\d", app.cell(answered, "placed").inner_text())
    expect(app.cell(answered, "callee").get_by_role("img", name="Завершив дзвінок")).to_be_visible()
    expect(app.cell(answered, "caller").get_by_role("img")).to_have_count(0)
    assert app.cell(calls["missed"], "caller").inner_text() == "+38 (067) 000-00-15"
    assert app.cell(calls["missed"], "talk").inner_text() == "—"


def test_an_open_row_shows_the_times_the_price_and_the_timeline(open_app, calls):
    opened = open_app().journal().open(calls["network_error"])
    facts = dict(zip(opened.locator("dt").all_inner_texts(), opened.locator("dd").all_inner_texts(), strict=True))
    names = ["Початок дзвінка", "Початок розмови", "Кінець дзвінка", "Очікування дзвінка", "Ціна"]
    assert set(names) <= set(facts)
    assert facts["Очікування дзвінка"] == "00:00:06"
    assert facts["Ціна"].startswith("0,08\xa0грн")
    opened.get_by_text("0,08\xa0грн").first.click()
    expect(opened.get_by_text("Тариф «Базовий»")).to_be_visible()
    expect(opened.get_by_text("Розмова 20 с, оплачується 20 с")).to_be_visible()
    steps = opened.locator(".timeline li")
    expect(steps).to_have_count(5)
    expect(steps.first).to_contain_text("Набрано номер +38 (067) 000-00-18")
    expect(steps.last).to_contain_text("Визначено ціну: 0,08")


def test_a_pending_price_shows_its_due_time_and_a_late_one_that_billing_is_unavailable(open_app, calls):
    now = datetime.now(UTC)
    due_times = {calls["answered"]: now + timedelta(minutes=5), calls["network_error"]: now - timedelta(minutes=5)}

    def pending(route):
        response = route.fetch()
        body = response.json()
        for entry in body["entries"]:
            if due := due_times.get(entry["call_id"]):
                entry["price"] |= {"state": "pending", "amount": None, "due_at": due.isoformat()}
        route.fulfill(response=response, json=body)

    app = open_app()
    app.page.route("**/api/v1/journal?*", pending)
    app.journal()
    due_at = due_times[calls["answered"]].astimezone(ZoneInfo("Europe/Kyiv"))
    expect(app.open(calls["answered"])).to_contain_text(f"з'явиться о {due_at:%H:%M}")
    expect(app.open(calls["network_error"])).to_contain_text("Тарифікація не відповідає, ціна з'явиться згодом")


def test_times_are_in_the_time_zone_of_the_company(open_app, calls, system):
    placed_at = system.entry(calls["answered"], "admin")["placed_at"]
    app = open_app().journal()
    kyiv = app.page.evaluate(
        "at => new Date(at).toLocaleTimeString('uk-UA', {timeZone: 'Europe/Kyiv', hourCycle: 'h23'})", placed_at
    )
    assert app.cell(calls["answered"], "placed").inner_text().splitlines()[0] == kyiv


def test_the_page_is_available_in_english(open_app, calls):
    app = open_app(language="en").journal()
    page = app.page
    assert page.locator("thead th:visible").all_inner_texts()[1:4] == ["Type", "Status", "Who called"]
    opened = app.open(calls["network_error"])
    expect(opened).to_contain_text("UAH\xa00.08")
    expect(opened.locator("dd").nth(1)).to_have_text(re.compile(r"^\d\d:\d\d:\d\d \d\d/\d\d/20\d\d$"))
    page.get_by_role("button", name="Українська").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Журнал дзвінків")


def test_filters_are_kept_in_the_address(open_app, calls):
    app = open_app().journal()
    page = app.page
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("checkbox", name="Пропущений виклик").check()
    expect(page.locator("tr.call")).to_have_count(1)
    page.get_by_role("checkbox", name="Вихідні").check()
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    page.get_by_role("checkbox", name="Вихідні").uncheck()
    assert page.url.endswith("/journal?status=missed")
    page.reload()
    expect(page.locator("tr.call")).to_have_count(1)
    expect(app.row(calls["missed"])).to_be_visible()


def test_a_name_a_number_and_an_operator_are_found(open_app, calls):
    app = open_app().journal()
    page = app.page
    page.get_by_role("searchbox", name="Пошук").fill("власова")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(app.row(calls["answered"])).to_be_visible()
    page.get_by_role("searchbox", name="Пошук").fill("067 000 00 15")
    expect(app.row(calls["missed"])).to_be_visible()
    expect(page.get_by_role("searchbox", name="Пошук")).to_be_focused()
    app.journal()
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("combobox", name="Оператор").select_option("Петро Вовк")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(app.row(calls["of_petro"])).to_be_visible()


def operator_options(page):
    return page.get_by_role("combobox", name="Оператор").locator("option")


def test_a_supervisor_can_filter_by_an_operator_who_is_not_on_the_page(open_app, calls):
    page = open_app("super").journal("?status=missed").page
    page.get_by_role("button", name="Фільтри").click()
    expect(operator_options(page)).to_contain_text(["Усі", "Ольга Кобилянська", "Петро Вовк"])
    page.get_by_role("combobox", name="Оператор").select_option("Петро Вовк")
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    expect(operator_options(page)).to_contain_text(["Усі", "Ольга Кобилянська", "Петро Вовк"])
    page.reload()
    page.get_by_role("button", name="Фільтри").click()
    expect(page.get_by_role("combobox", name="Оператор").locator("option:checked")).to_have_text("Петро Вовк")


def test_an_administrator_can_filter_by_any_account_of_a_paged_list(open_app, calls, system):
    page = open_app().journal().page
    page.route(
        "**/api/v1/accounts?*", lambda route: route.continue_(url=route.request.url.replace("limit=200", "limit=1"))
    )
    page.get_by_role("button", name="Фільтри").click()
    names = {account["name"] for account in system.get("/accounts", "admin").json()["accounts"]}
    assert {"Леся Рахівниця", "Петро Вовк"} < names
    expect(operator_options(page)).to_have_count(1 + len(names))
    assert set(operator_options(page).all_inner_texts()) == {"Усі", *names}


def test_the_chosen_operator_stays_chosen_while_the_list_loads(open_app, calls, system):
    [petro] = system.get("/accounts", "admin", q="Вовк").json()["accounts"]
    app, held = open_app(), []
    page = app.page
    page.route("**/api/v1/accounts?*", lambda route: held.append(route))
    app.journal(f"?account={petro['id']}")
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("checkbox", name="Вхідні").check()
    page.wait_for_url(f"**/journal?direction=inbound&account={petro['id']}")
    expect(app.row(calls["of_petro"])).to_be_visible()
    expect(page.locator("tr.call")).to_have_count(1)


def test_calls_are_filtered_by_comment_duration_party_and_period(open_app, calls, system):
    assert system.send("PUT", f"/calls/{calls['cancelled']}/comment", "admin", json={"text": "шукали"}).ok
    app = open_app().journal()
    page = app.page
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_label("Тривалість, від").fill("60")
    page.keyboard.press("Enter")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(app.row(calls["answered"])).to_be_visible()
    page.get_by_role("button", name="Скинути фільтри").click()
    page.get_by_label("Номер або лінія").fill("067 000 00 15")
    page.keyboard.press("Enter")
    expect(app.row(calls["missed"])).to_be_visible()
    expect(page.locator("tr.call")).to_have_count(1)
    page.get_by_role("button", name="Скинути фільтри").click()
    page.get_by_role("group", name="Є в дзвінку").get_by_role("checkbox", name="Коментар").check()
    expect(app.row(calls["cancelled"])).to_be_visible()
    expect(app.row(calls["answered"])).to_have_count(0)
    page.get_by_role("combobox", name="Період").select_option("Інший період")
    expect(page.locator(".calendar [tabindex='0']")).to_be_focused()
    for key in ("PageUp", "PageUp", "Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    [(first, after)] = re.findall(r"from=(\d{4}-\d\d-\d\d)&to=(\d{4}-\d\d-\d\d)", page.url)
    assert date.fromisoformat(after) - date.fromisoformat(first) == timedelta(days=2)
    system.send("DELETE", f"/calls/{calls['cancelled']}/comment", "admin")


def test_pages_are_turned_forward_and_back(open_app, calls):
    app = open_app().journal()
    page = app.page
    page.route(
        "**/api/v1/journal?*limit=25*",
        lambda route: route.continue_(url=route.request.url.replace("limit=25", "limit=6")),
    )
    page.get_by_role("combobox", name="На сторінці").select_option("25")
    expect(page.locator("tr.call")).to_have_count(6)
    newest = [page.locator("tr.call").nth(n).get_attribute("data-call") for n in range(6)]
    expect(page.get_by_role("button", name="Попередня")).to_be_disabled()
    page.get_by_role("button", name="Наступна").click()
    expect(app.row(newest[0])).to_have_count(0)
    expect(page.locator("tr.call")).to_have_count(6)
    page.get_by_role("button", name="Попередня").click()
    expect(app.row(newest[0])).to_be_visible()
    page.go_back()
    expect(app.row(newest[0])).to_have_count(0)


def test_the_choice_of_columns_is_remembered(open_app, calls):
    app = open_app().journal()
    page = app.page
    page.get_by_role("button", name="Колонки").click()
    page.get_by_role("checkbox", name="Ціна").check()
    page.get_by_role("checkbox", name="Тип").uncheck()
    page.keyboard.press("Escape")
    expect(app.cell(calls["answered"], "price")).to_have_text("0,00\xa0грн")
    page.reload()
    expect(page.locator("thead th.price")).to_be_visible()
    expect(page.locator("thead th.type")).to_have_count(0)


def test_the_export_has_the_filters(open_app, calls):
    page = open_app().journal("?status=missed&status=returned").page
    page.get_by_role("button", name="Експорт").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == 1 + 2
