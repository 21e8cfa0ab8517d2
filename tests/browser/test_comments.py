"""The comment on a call, also with two authors at the same time."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_table import MEANINGS
from tests.browser.test_watching import lifecycle
from tests.system.test_journal import report_call

RECORD_STATUSES = """row => {
    window.statuses = [];
    const record = () => window.statuses.push(row.querySelector("td.status [role=img]").getAttribute("aria-label"));
    new MutationObserver(record).observe(row, { subtree: true, childList: true, attributes: true });
}"""
"""Record each status that a row shows, in `window.statuses`."""


@pytest.fixture
def uncommented(calls, system):
    """A call without a comment."""
    system.send("DELETE", f"/calls/{calls['declined']}/comment", "admin")
    return calls["declined"]


def save_comment(page, text):
    area = page.get_by_role("dialog").get_by_role("textbox")
    area.fill(text)
    page.get_by_role("button", name="Зберегти").click()


def test_a_comment_is_added_edited_and_deleted(open_app, uncommented):
    app = open_app("olha").journal()
    page, opened = app.page, app.open(uncommented)
    button = app.row(uncommented).locator(".actions button").first
    initial_colour = button.evaluate("button => getComputedStyle(button).color")
    opened.get_by_role("button", name="Додати").click()
    dialog = page.get_by_role("dialog", name="Написати коментар")
    expect(dialog).to_contain_text("Максимальна кількість символів коментаря – 200 знаків")
    expect(dialog.get_by_role("button", name="Відміна")).to_be_visible()
    save_comment(page, "передзвонити 2 серпня")
    expect(opened).to_contain_text("передзвонити 2 серпня")
    expect(opened).to_contain_text("Ольга Кобилянська")
    assert button.evaluate("button => getComputedStyle(button).color") != initial_colour
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Редагувати").click()
    save_comment(page, "передзвонили")
    expect(opened.locator(".comment-text")).to_have_text("передзвонили")
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Усі версії").click()
    expect(opened.locator(".versions li")).to_have_count(2)
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Видалити").click()
    page.get_by_role("dialog").get_by_role("button", name="Видалити").click()
    expect(opened).to_contain_text("Коментаря ще немає.")
    assert button.evaluate("button => getComputedStyle(button).color") == initial_colour


def test_a_comment_saved_during_a_call_does_not_undo_changes_of_the_call(open_app, calls, system):
    placed, ringing, answered, _ = lifecycle()
    call_id = report_call(system, [placed, ringing])
    app = open_app("olha").journal()
    opened, icon = app.open(call_id), app.cell(call_id, "status").get_by_role("img")
    opened.get_by_role("button", name="Додати").click()
    report_call(system, [answered])
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    app.row(call_id).evaluate(RECORD_STATUSES)
    save_comment(app.page, "говоримо")
    expect(opened.locator(".comment-text")).to_have_text("говоримо")
    assert set(app.page.evaluate("window.statuses")) == {MEANINGS["answered"]}


def test_a_late_response_does_not_replace_a_newer_comment(open_app, uncommented, system):
    app, held = open_app().journal(), []
    page, button = app.page, app.row(uncommented).locator(".actions button").first
    page.route("**/comment", lambda route: held.append((route, route.fetch())))
    button.click()
    save_comment(page, "перше")
    expect(button).to_have_accessible_name("Є коментар: перше")
    assert system.send("PUT", f"/calls/{uncommented}/comment", "super", json={"text": "друге"}).ok
    expect(button).to_have_accessible_name("Є коментар: друге")
    [(route, response)] = held
    route.fulfill(response=response)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_have_accessible_name("Є коментар: друге")


def test_a_comment_has_at_most_two_hundred_cyrillic_letters(open_app, uncommented):
    app = open_app("olha").journal()
    app.row(uncommented).locator(".actions button").first.click()
    dialog = app.page.get_by_role("dialog")
    area = dialog.get_by_role("textbox")
    area.fill("ї" * 199)
    area.press("End")
    app.page.keyboard.insert_text("єґ")
    assert area.input_value() == "ї" * 199 + "є"
    expect(dialog).to_contain_text("200 з 200")
    area.press("Home")
    app.page.keyboard.insert_text("щ")
    assert area.input_value() == "ї" * 199 + "є"
    dialog.get_by_role("button", name="Зберегти").click()
    expect(app.row(uncommented).locator(".actions button").first).to_have_accessible_name(f"Є коментар: {'ї' * 199}є")


def test_letters_of_two_code_units_count_as_one(open_app, uncommented):
    app = open_app("olha").journal()
    app.row(uncommented).locator(".actions button").first.click()
    area = app.page.get_by_role("dialog").get_by_role("textbox")
    area.fill("😀" * 201)
    assert area.input_value() == "😀" * 200


def test_a_conflicting_edit_shows_the_other_text_and_keeps_the_own_text(open_app, uncommented, system):
    app = open_app("olha", errors_expected=True).journal()
    page = app.page
    assert system.send("PUT", f"/calls/{uncommented}/comment", "olha", json={"text": "перший"}).ok
    expect(app.row(uncommented).locator(".tool.has").first).to_be_visible()
    app.row(uncommented).locator(".actions button").first.click()
    assert system.send("PUT", f"/calls/{uncommented}/comment", "super", json={"text": "від Соломії"}).ok
    save_comment(page, "мій текст")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").first).to_contain_text("від Соломії")
    assert dialog.get_by_role("textbox").input_value() == "мій текст"
    page.get_by_role("button", name="Зберегти").click()
    expect(dialog).to_have_count(0)
    assert system.get(f"/calls/{uncommented}", "olha").json()["comment"]["text"] == "мій текст"


def test_the_second_of_two_simultaneous_comments_sees_the_first(open_app, uncommented, system):
    app = open_app(errors_expected=True).journal()
    app.row(uncommented).locator(".actions button").first.click()
    assert system.send("PUT", f"/calls/{uncommented}/comment", "super", json={"text": "від Соломії"}).ok
    save_comment(app.page, "мій текст")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").first).to_contain_text("від Соломії")
    assert dialog.get_by_role("textbox").input_value() == "мій текст"
    assert system.get(f"/calls/{uncommented}", "admin").json()["comment"]["text"] == "від Соломії"


def test_an_operator_sees_a_comment_of_another_author_without_edit_actions(open_app, uncommented, system):
    assert system.send("PUT", f"/calls/{uncommented}/comment", "admin", json={"text": "від адміністратора"}).ok
    app = open_app("olha").journal()
    opened = app.open(uncommented)
    opened.get_by_role("button", name="Ще дії").click()
    expect(opened.get_by_role("button", name="Усі версії")).to_be_visible()
    expect(opened.get_by_role("button", name="Редагувати")).to_have_count(0)


def test_a_script_in_a_name_or_a_comment_stays_text(open_app, uncommented, calls, system):
    script = "<img src=x onerror=\"document.title='зламано'\"><script>document.title='зламано'</script>"
    assert system.send("PUT", f"/calls/{uncommented}/comment", "admin", json={"text": script[:200]}).ok
    contact = {"name": script, "number": "0670000012", "note": script}
    created = system.send("POST", "/contacts", "admin", json=contact).json()
    app = open_app().journal()
    assert app.cell(uncommented, "callee").inner_text().splitlines()[0] == script
    expect(app.open(uncommented).locator(".comment-text")).to_have_text(script)
    app.go("/contacts")
    expect(app.page.get_by_text(script).first).to_be_visible()
    assert "зламано" not in app.page.title()
    system.send("DELETE", f"/contacts/{created['id']}", "admin")
