"""The table of calls: what stands in it, how it is found, and what a row shows when it is opened."""

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
DRAWN = {
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
"""The colour of the handset and the mark beside it, in one grammar."""


def test_a_row_begins_with_the_chevron_and_ends_with_comment_play_and_download(visit, calls):
    visitor = visit().journal()
    page, row = visitor.page, visitor.row(calls["answered"])
    assert page.locator("thead th:visible").all_inner_texts()[1:7] == HEADINGS
    places = row.locator("td").evaluate_all("cells => cells.map((cell) => cell.className.split(' ')[0])")
    assert places == ["details", "type", "status", "caller", "callee", "talk", "placed", "actions"]
    expect(row.locator("td").first.get_by_role("button")).to_have_attribute("aria-expanded", "false")
    tools = row.locator(".actions :is(button, a)").evaluate_all("all => all.map((one) => one.title)")
    assert [name.split()[0] for name in tools] == ["Написати", "Прослухати", "Завантажити"] or tools[1:] == [
        "Запису немає",
        "Запису немає",
    ]


def test_every_status_has_an_icon_of_its_own_that_says_what_it_means(visit, calls):
    visitor = visit().journal()
    drawn = {}
    for status in DAY:
        icon = visitor.cell(calls[status], "status").get_by_role("img")
        expect(icon).to_have_accessible_name(MEANINGS[status])
        expect(icon.locator("title")).to_have_text(MEANINGS[status])
        mark = icon.locator(".mark").get_attribute("class").removeprefix("mark ")
        drawn[status] = (icon.evaluate("icon => getComputedStyle(icon).color"), mark)
    assert drawn == DRAWN
    assert len(set(drawn.values())) == len(DAY) == 13


def test_the_legend_shows_all_thirteen_on_one_screen_in_both_languages(visit):
    page = visit().go("/legend").page
    for meanings in (MEANINGS, MEANINGS_EN):
        expect(page.get_by_role("img", name=meanings["unknown_error"])).to_be_visible()
        shown = page.locator("main section:first-of-type svg.call").all()
        assert {icon.get_attribute("aria-label") for icon in shown} == set(meanings.values())
        assert {icon.locator("title").text_content() for icon in shown} == set(meanings.values())
        assert all(icon.bounding_box()["y"] < 900 for icon in shown)
        page.get_by_role("button", name="English" if meanings is MEANINGS else "Українська").click()


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
    assert facts["Ціна"].startswith("0,08\xa0грн")
    opened.get_by_text("0,08\xa0грн").first.click()
    expect(opened.get_by_text("Тариф «Базовий»")).to_be_visible()
    expect(opened.get_by_text("Розмова 20 с, оплачується 20 с")).to_be_visible()
    steps = opened.locator(".timeline li")
    expect(steps).to_have_count(5)
    expect(steps.first).to_contain_text("Набрано номер +38 (067) 000-00-18")
    expect(steps.last).to_contain_text("Визначено ціну: 0,08")


def test_a_price_to_come_says_when_and_one_that_is_late_that_billing_does_not_answer(visit, calls):
    now = datetime.now(UTC)
    dues = {calls["answered"]: now + timedelta(minutes=5), calls["network_error"]: now - timedelta(minutes=5)}

    def pending(route):
        answer = route.fetch()
        told = answer.json()
        for entry in told["entries"]:
            if due := dues.get(entry["call_id"]):
                entry["price"] |= {"state": "pending", "amount": None, "due_at": due.isoformat()}
        route.fulfill(response=answer, json=told)

    visitor = visit()
    visitor.page.route("**/api/v1/journal?*", pending)
    visitor.journal()
    due_at = dues[calls["answered"]].astimezone(ZoneInfo("Europe/Kyiv"))
    expect(visitor.open(calls["answered"])).to_contain_text(f"з'явиться о {due_at:%H:%M}")
    expect(visitor.open(calls["network_error"])).to_contain_text("Тарифікація не відповідає, ціна з'явиться згодом")


def test_times_are_the_companys_wherever_the_browser_is(visit, calls, system):
    placed_at = system.entry(calls["answered"], "admin")["placed_at"]
    visitor = visit().journal()
    kyiv = visitor.page.evaluate(
        "at => new Date(at).toLocaleTimeString('uk-UA', {timeZone: 'Europe/Kyiv', hourCycle: 'h23'})", placed_at
    )
    assert visitor.cell(calls["answered"], "placed").inner_text().splitlines()[0] == kyiv


def test_english_is_spoken_too(visit, calls):
    visitor = visit(language="en").journal()
    page = visitor.page
    assert page.locator("thead th:visible").all_inner_texts()[1:4] == ["Type", "Status", "Who called"]
    opened = visitor.open(calls["network_error"])
    expect(opened).to_contain_text("UAH\xa00.08")
    expect(opened.locator("dd").nth(1)).to_have_text(re.compile(r"^\d\d:\d\d:\d\d \d\d/\d\d/20\d\d$"))
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


def offered(page):
    return page.get_by_role("combobox", name="Оператор").locator("option")


def test_a_supervisor_may_choose_also_who_is_not_on_the_page(visit, calls):
    page = visit("super").journal("?status=missed").page
    page.get_by_role("button", name="Фільтри").click()
    expect(offered(page)).to_contain_text(["Усі", "Ольга Кобилянська", "Петро Вовк"])
    page.get_by_role("combobox", name="Оператор").select_option("Петро Вовк")
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    expect(offered(page)).to_contain_text(["Усі", "Ольга Кобилянська", "Петро Вовк"])
    page.reload()
    page.get_by_role("button", name="Фільтри").click()
    expect(page.get_by_role("combobox", name="Оператор").locator("option:checked")).to_have_text("Петро Вовк")


def test_an_administrator_may_choose_whoever_has_an_account_on_whatever_page_of_the_list(visit, calls, system):
    page = visit().journal().page
    page.route(
        "**/api/v1/accounts?*", lambda route: route.continue_(url=route.request.url.replace("limit=200", "limit=1"))
    )
    page.get_by_role("button", name="Фільтри").click()
    names = {one["name"] for one in system.get("/accounts", "admin").json()["accounts"]}
    assert {"Леся Рахівниця", "Петро Вовк"} < names
    expect(offered(page)).to_have_count(1 + len(names))
    assert set(offered(page).all_inner_texts()) == {"Усі", *names}


def test_a_chosen_operator_stays_chosen_while_the_others_are_asked_for(visit, calls, system):
    [petro] = system.get("/accounts", "admin", q="Вовк").json()["accounts"]
    visitor, held = visit(), []
    page = visitor.page
    page.route("**/api/v1/accounts?*", lambda route: held.append(route))
    visitor.journal(f"?account={petro['id']}")
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_role("checkbox", name="Вхідні").check()
    page.wait_for_url(f"**/journal?direction=inbound&account={petro['id']}")
    expect(visitor.row(calls["of_petro"])).to_be_visible()
    expect(page.locator("tr.call")).to_have_count(1)


def test_what_was_said_how_long_with_whom_and_when_are_filters(visit, calls, system):
    assert system.send("PUT", f"/calls/{calls['cancelled']}/comment", "admin", json={"text": "шукали"}).ok
    visitor = visit().journal()
    page = visitor.page
    page.get_by_role("button", name="Фільтри").click()
    page.get_by_label("Тривалість, від").fill("60")
    page.keyboard.press("Enter")
    expect(page.locator("tr.call")).to_have_count(1)
    expect(visitor.row(calls["answered"])).to_be_visible()
    page.get_by_role("button", name="Скинути фільтри").click()
    page.get_by_label("Номер або лінія").fill("067 000 00 15")
    page.keyboard.press("Enter")
    expect(visitor.row(calls["missed"])).to_be_visible()
    expect(page.locator("tr.call")).to_have_count(1)
    page.get_by_role("button", name="Скинути фільтри").click()
    page.get_by_role("group", name="Є в дзвінку").get_by_role("checkbox", name="Коментар").check()
    expect(visitor.row(calls["cancelled"])).to_be_visible()
    expect(visitor.row(calls["answered"])).to_have_count(0)
    page.get_by_role("combobox", name="Період").select_option("Інший період")
    expect(page.locator(".calendar [tabindex='0']")).to_be_focused()
    for key in ("PageUp", "PageUp", "Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("За цими фільтрами нічого не знайшлося")).to_be_visible()
    [(first, after)] = re.findall(r"from=(\d{4}-\d\d-\d\d)&to=(\d{4}-\d\d-\d\d)", page.url)
    assert date.fromisoformat(after) - date.fromisoformat(first) == timedelta(days=2)
    system.send("DELETE", f"/calls/{calls['cancelled']}/comment", "admin")


def test_pages_are_turned_there_and_back(visit, calls):
    visitor = visit().journal()
    page = visitor.page
    page.route(
        "**/api/v1/journal?*limit=25*",
        lambda route: route.continue_(url=route.request.url.replace("limit=25", "limit=6")),
    )
    page.get_by_role("combobox", name="На сторінці").select_option("25")
    expect(page.locator("tr.call")).to_have_count(6)
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
