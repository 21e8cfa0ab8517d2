"""The views other than the journal: contacts, accounts, tariffs and all about prices, settings and keys."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import expect

from shared.contracts.wire import Json
from tests.browser.day import TARIFF
from tests.support.infrastructure import eventually
from tests.support.system import System
from tests.system.test_journal import report, report_call

CHEAPER_TARIFF = "direction;prefix;per_minute\noutbound;;0.12\ninbound;;0\n"


def test_a_contact_is_added_found_renamed_and_deleted_and_names_its_calls(open_app, calls):
    app = open_app().go("/contacts")
    page = app.page
    page.get_by_role("button", name="Новий контакт").first.click()
    dialog = page.get_by_role("dialog", name="Новий контакт")
    dialog.get_by_label("Ім'я").fill("Дарина Мельник")
    dialog.get_by_label("Номер").fill("067 000 00 13")
    page.get_by_role("button", name="Зберегти").click()
    row = page.get_by_role("row", name="Дарина Мельник")
    expect(row).to_contain_text("+38 (067) 000-00-13")
    row.get_by_role("button", name="Редагувати").click()
    page.get_by_role("dialog").get_by_label("Ім'я").fill("Дарина Мельничук")
    page.get_by_role("button", name="Зберегти").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("searchbox", name="Пошук").fill("мельничук")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="+38 (067) 000-00-13").click()
    expect(app.cell(calls["no_answer"], "callee")).to_contain_text("Дарина Мельничук")
    page.go_back()
    page.get_by_role("row", name="Дарина Мельничук").get_by_role("button", name="Видалити").click()
    page.get_by_role("dialog").get_by_role("button", name="Видалити").click()
    expect(page.get_by_text("Дарина Мельничук")).to_have_count(0)


def test_an_account_is_created_with_a_line_and_disabled(open_app, system):
    login = f"новий-{uuid4().hex[:6]}"
    page = open_app().go("/accounts").page
    page.get_by_role("button", name="Новий запис").click()
    dialog = page.get_by_role("dialog", name="Новий запис")
    dialog.get_by_label("Ім'я").fill("Нестор Новий")
    dialog.get_by_label("Логін").fill(login)
    dialog.get_by_label("Пароль").fill("Довге-гасло-7")
    dialog.get_by_label("Лінії").fill("177")
    page.get_by_role("button", name="Зберегти").click()
    row = page.get_by_role("row", name="Нестор Новий")
    expect(row).to_contain_text("177")
    assert system.sign_in(login, "Довге-гасло-7").status_code == 201
    row.get_by_role("button", name="Редагувати").click()
    page.get_by_role("dialog").get_by_label("Може входити").uncheck()
    page.get_by_role("button", name="Зберегти").click()
    expect(row).to_contain_text("Вимкнено")
    assert system.sign_in(login, "Довге-гасло-7").status_code == 401


def test_a_draft_tariff_is_imported_and_previewed_without_changing_prices(open_app, calls, system):
    page = open_app("lesia").go("/tariffs").page
    page.get_by_role("button", name="Новий тариф").first.click()
    dialog = page.get_by_role("dialog", name="Новий тариф")
    dialog.get_by_label("Назва").fill("Дешевший")
    dialog.get_by_label("Файл CSV").set_input_files(
        {"name": "ціни.csv", "mimeType": "text/csv", "buffer": CHEAPER_TARIFF.encode()}
    )
    page.get_by_role("button", name="Зберегти").click()
    draft = page.get_by_role("row", name="Дешевший")
    expect(draft).to_contain_text("Чернетка")
    draft.get_by_role("button", name="2 ставки").click()
    expect(page.get_by_role("dialog").get_by_role("cell", name="0.12")).to_be_visible()
    page.keyboard.press("Escape")
    draft.get_by_role("link", name="Що буде?").click()
    expect(page.get_by_label("За тарифом").locator("option:checked")).to_have_text("Чернетка «Дешевший»")
    expect(page.get_by_role("button", name="Перерахувати")).to_be_disabled()
    page.get_by_role("button", name="Показати різницю").click()
    outcome = page.get_by_role("region", name="Перебіг перерахунку")
    expect(outcome).to_contain_text("Готово")
    expect(outcome).to_contain_text(re.compile(r"\d\d\.\d\d\.20\d\d – \d\d\.\d\d\.20\d\d · Дешевший · ціни не змінено"))
    expect(outcome.locator(".tile", has_text="Різниця")).to_contain_text("-")
    page.reload()
    expect(outcome).to_contain_text("Готово")
    assert system.entry(calls["network_error"], "admin")["price"]["amount"] == "0.0800"
    page.get_by_role("link", name="Тарифи").last.click()
    draft.get_by_role("button", name="Видалити").click()
    page.get_by_role("dialog").get_by_role("button", name="Видалити").click()
    expect(page.get_by_text("Дешевший")).to_have_count(0)


def test_a_period_is_rerated_after_a_confirmation(open_app, calls):
    page = open_app("lesia").go("/rerating").page
    page.get_by_role("button", name="Перерахувати").click()
    page.get_by_role("dialog").get_by_role("button", name="Перерахувати").click()
    outcome = page.get_by_role("region", name="Перебіг перерахунку")
    expect(outcome).to_contain_text("Готово")
    expect(outcome).to_contain_text("Перерахунок цін")
    expect(outcome).not_to_contain_text("ціни не змінено")


def answered_call(tenant: str) -> list[Json]:
    call, end = str(uuid4()), datetime.now(UTC)
    steps = [
        ("placed", 30, {"direction": "outbound", "caller": "101", "callee": "0671234567"}),
        ("answered", 20, {"party": "0671234567"}),
        ("ended", 0, {"by": "caller", "cause": 16}),
    ]
    return [
        report(call, type_, end - timedelta(seconds=ago), **data) | {"tenant": tenant} for type_, ago, data in steps
    ]


@pytest.fixture
def unpriced(system: System) -> str:
    """A call of a company that has no tariff."""
    call_id = report_call(system, answered_call("other"), "other")
    eventually(lambda: system.entry(call_id, "foreign")["price"]["state"] == "failed", seconds=20)
    return call_id


def test_an_unpriced_call_shows_the_reason_and_is_priced_once_there_is_a_tariff(open_app, unpriced, system):
    app = open_app("foreign").journal()
    page = app.page
    expect(app.open(unpriced)).to_contain_text("не визначено: немає чинного тарифу")
    app.go("/charges")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("немає чинного тарифу")
    row.get_by_role("button", name="Показати дзвінок").click()
    expect(page.get_by_role("dialog")).to_contain_text("Набрано номер +38 (067) 123-45-67")
    page.keyboard.press("Escape")
    csv = {"data": TARIFF.encode(), "headers": {"Content-Type": "text/csv"}}
    imported = system.send("POST", "/tariffs/import", "foreign", params={"name": "Їхній", "currency": "UAH"}, **csv)
    validity = {"from": "2020-01-01T00:00:00Z"}
    assert system.send("POST", f"/tariffs/{imported.json()['id']}/activate", "foreign", json=validity).ok
    page.get_by_role("button", name="Оцінити всі ще раз").click()
    expect(page.locator("#toast")).to_have_text("Ще раз оцінюємо 1 дзвінок")
    expect(page.get_by_text("Усі дзвінки мають ціну")).to_be_visible()
    assert system.entry(unpriced, "foreign")["price"]["amount"] == "0.0800"


def test_more_calls_than_a_request_may_name_are_retried_in_several_requests(open_app, calls):
    app, batches = open_app("lesia"), []
    page = app.page
    at = datetime.now(UTC).isoformat()
    charge = {"state": "failed", "reason": "no_tariff", "number": None, "due_at": at, "failed_at": at}
    unpriced_calls = {"charges": [charge | {"call_id": str(uuid4())} for _ in range(1001)], "next_cursor": None}

    def retry(route):
        batches.append(route.request.post_data_json["call_ids"])
        route.fulfill(json={"retried": len(batches[-1])})

    page.route("**/api/v1/charges?*", lambda route: route.fulfill(json=unpriced_calls))
    page.route("**/api/v1/charges/retry", retry)
    app.go("/charges")
    page.get_by_role("button", name="Оцінити всі ще раз").click()
    expect(page.locator("#toast")).to_have_text("Ще раз оцінюємо 1001 дзвінок")
    assert [len(ids) for ids in batches] == [1000, 1]
    assert [call_id for ids in batches for call_id in ids] == [
        charge["call_id"] for charge in unpriced_calls["charges"]
    ]


RERATINGS = re.compile(r"/api/v1/rerating/[^/]+$")


def test_the_progress_of_a_rerating_survives_a_failed_response(open_app, calls):
    app, requests_seen = open_app("lesia", errors_expected=True).go("/rerating"), []
    page = app.page

    def respond(route):
        requests_seen.append(route)
        if len(requests_seen) == 2:
            return route.abort()
        if len(requests_seen) == 3:
            return route.fulfill(status=503, content_type="application/problem+json", body="{}")
        response = route.fetch()
        return route.fulfill(
            response=response, json=response.json() | ({"state": "running"} if len(requests_seen) == 1 else {})
        )

    page.route(RERATINGS, respond)
    page.get_by_role("button", name="Показати різницю").click()
    outcome = page.get_by_role("region", name="Перебіг перерахунку")
    expect(outcome).to_contain_text("Триває")
    expect(outcome).to_contain_text("Готово", timeout=10_000)


def test_the_prefixes_of_a_rerating_are_paged(open_app, calls):
    page = open_app("lesia").go("/rerating").page
    row = {"currency": "UAH", "calls": 1, "before": "1.0000", "after": "2.0000", "difference": "1.0000"}
    pages = [
        {"state": "done", "by_prefix": [row | {"prefix": "outbound +38067"}], "next_cursor": "далі"},
        {"state": "done", "by_prefix": [row | {"prefix": "outbound +38050"}], "next_cursor": None},
    ]

    def respond(route):
        response = route.fetch(url=route.request.url.partition("?")[0])
        route.fulfill(response=response, json=response.json() | pages["cursor=" in route.request.url])

    page.route(RERATINGS, respond)
    page.get_by_role("button", name="Показати різницю").click()
    rows = page.get_by_role("region", name="Перебіг перерахунку").locator("tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Показати ще").click()
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("+38050")
    expect(page.get_by_role("button", name="Показати ще")).to_have_count(0)


def test_the_cost_report_groups_by_day_operator_and_prefix(open_app, calls, system):
    app = open_app("lesia").go("/report")
    page = app.page
    total = page.locator(".tile b")
    expect(total).to_contain_text("грн")
    first_total = total.inner_text()
    expect(page.locator("tbody tr").first).to_have_text(re.compile(r"^\d\d\.\d\d\.20\d\d"))
    page.get_by_role("combobox", name="Як підсумувати").select_option("За операторами")
    expect(page.get_by_role("row", name="Ольга Кобилянська")).to_contain_text("грн")
    expect(total).to_have_text(first_total)
    assert "by=operator" in page.url
    page.get_by_role("combobox", name="Як підсумувати").select_option("За префіксами")
    expect(page.locator("thead")).to_contain_text("Префікс")
    page.get_by_role("button", name=re.compile(r"\d\d\.\d\d\.20\d\d – \d\d\.\d\d\.20\d\d")).click()
    page.get_by_role("button", name="Попередній місяць").click()
    page.locator(".calendar [data-day$='-15']").click()
    page.locator(".calendar [data-day$='-03']").click()
    expect(page.get_by_text("За цей період немає дзвінків із ціною")).to_be_visible()


def test_a_report_is_paged(open_app, calls):
    app = open_app("lesia")
    page, rows = app.page, app.page.locator("tbody tr")
    page.route("**/billing/report?*", lambda route: route.continue_(url=f"{route.request.url}&limit=1"))
    app.go("/report?by=operator")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Показати ще").click()
    expect(rows).to_have_count(2)
    assert len({row.inner_text().splitlines()[0] for row in rows.all()}) == 2


def test_settings_are_saved_and_errors_are_shown_at_their_fields(open_app, system):
    page = open_app(errors_expected=True).go("/settings").page
    hours = page.get_by_label("Час на передзвін, год")
    expect(hours).to_have_value("24")
    hours.fill("48")
    page.get_by_label("Часовий пояс").fill("Europe/Atlantis")
    page.get_by_role("button", name="Зберегти").click()
    expect(page.get_by_label("Часовий пояс")).to_be_focused()
    expect(page.locator("[data-name=time_zone] .field-error")).to_have_text(
        "Немає такого часового поясу. Приклад: Europe/Kyiv."
    )
    assert system.get("/settings", "admin").json()["returned_window_hours"] == 24
    page.get_by_label("Часовий пояс").fill("Europe/Kyiv")
    page.get_by_role("button", name="Зберегти").click()
    expect(page.locator("#toast")).to_have_text("Налаштування збережено")
    assert system.get("/settings", "admin").json()["returned_window_hours"] == 48
    assert system.send("PATCH", "/settings", "admin", json={"returned_window_hours": 24}).ok


def test_a_key_is_shown_even_if_its_dialog_was_closed_early(open_app, system):
    page, held = open_app().go("/keys").page, []
    page.route(
        "**/api/v1/api-keys", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    page.get_by_role("button", name="Новий ключ").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Назва").fill("Поспіх")
    with page.expect_request("**/api/v1/api-keys"):
        dialog.get_by_role("button", name="Створити").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_role("dialog", name="Ключ створено").get_by_label("Ключ", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Готово").click()
    page.get_by_role("row", name="Поспіх").get_by_role("button", name="Відкликати").click()
    page.get_by_role("dialog").get_by_role("button", name="Відкликати").click()
    expect(page.get_by_role("row", name="Поспіх")).to_have_count(0)


def test_a_key_is_shown_once_and_is_rejected_after_revocation(open_app, system):
    def status_with(key: str) -> int:
        return requests.get(f"{system.url}/journal?limit=1", headers={"X-Api-Key": key}, timeout=10).status_code

    page = open_app().go("/keys").page
    page.get_by_role("button", name="Новий ключ").first.click()
    dialog = page.get_by_role("dialog", name="Новий ключ")
    dialog.get_by_label("Назва").fill("Звіти")
    dialog.get_by_label("Для чого").select_option("Читати журнал")
    dialog.get_by_role("button", name="Створити").click()
    key = page.get_by_role("dialog", name="Ключ створено").get_by_label("Ключ", exact=True).input_value()
    assert status_with(key) == 200
    page.get_by_role("button", name="Готово").click()
    row = page.get_by_role("row", name="Звіти")
    expect(row).to_contain_text("Читати журнал")
    expect(page.get_by_text(key)).to_have_count(0)
    row.get_by_role("button", name="Відкликати").click()
    page.get_by_role("dialog").get_by_role("button", name="Відкликати").click()
    expect(row).to_have_count(0)
    eventually(lambda: status_with(key) == 401)
