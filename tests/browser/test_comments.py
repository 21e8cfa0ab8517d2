"""The comment on a call, written by people who may be two at once."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_table import MEANINGS
from tests.browser.test_watching import lifecycle
from tests.system.test_journal import told

STATUSES = """row => {
    window.statuses = [];
    const note = () => window.statuses.push(row.querySelector("td.status [role=img]").getAttribute("aria-label"));
    new MutationObserver(note).observe(row, { subtree: true, childList: true, attributes: true });
}"""
"""From now on every status that a row shows is remembered."""


@pytest.fixture
def fresh(calls, system):
    """A call without a comment."""
    system.send("DELETE", f"/calls/{calls['declined']}/comment", "admin")
    return calls["declined"]


def write(page, text):
    area = page.get_by_role("dialog").get_by_role("textbox")
    area.fill(text)
    page.get_by_role("button", name="Зберегти").click()


def test_a_comment_is_added_edited_and_deleted(open_app, fresh):
    app = open_app("olha").journal()
    page, opened = app.page, app.open(fresh)
    button = app.row(fresh).locator(".actions button").first
    plain = button.evaluate("it => getComputedStyle(it).color")
    opened.get_by_role("button", name="Додати").click()
    dialog = page.get_by_role("dialog", name="Написати коментар")
    expect(dialog).to_contain_text("Максимальна кількість символів коментаря – 200 знаків")
    expect(dialog.get_by_role("button", name="Відміна")).to_be_visible()
    write(page, "передзвонити 2 серпня")
    expect(opened).to_contain_text("передзвонити 2 серпня")
    expect(opened).to_contain_text("Ольга Кобилянська")
    assert button.evaluate("it => getComputedStyle(it).color") != plain
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Редагувати").click()
    write(page, "передзвонили")
    expect(opened.locator(".comment-text")).to_have_text("передзвонили")
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Усі версії").click()
    expect(opened.locator(".versions li")).to_have_count(2)
    opened.get_by_role("button", name="Ще дії").click()
    opened.get_by_role("button", name="Видалити").click()
    page.get_by_role("dialog").get_by_role("button", name="Видалити").click()
    expect(opened).to_contain_text("Коментаря ще немає.")
    assert button.evaluate("it => getComputedStyle(it).color") == plain


def test_a_comment_saved_during_a_call_does_not_undo_changes_of_the_call(open_app, calls, system):
    begun, rings, answers, _ = lifecycle()
    call_id = told(system, [begun, rings])
    app = open_app("olha").journal()
    opened, icon = app.open(call_id), app.cell(call_id, "status").get_by_role("img")
    opened.get_by_role("button", name="Додати").click()
    told(system, [answers])
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    app.row(call_id).evaluate(STATUSES)
    write(app.page, "говоримо")
    expect(opened.locator(".comment-text")).to_have_text("говоримо")
    assert set(app.page.evaluate("window.statuses")) == {MEANINGS["answered"]}


def test_a_late_response_does_not_replace_a_newer_comment(open_app, fresh, system):
    app, held = open_app().journal(), []
    page, said = app.page, app.row(fresh).locator(".actions button").first
    page.route("**/comment", lambda route: held.append((route, route.fetch())))
    said.click()
    write(page, "перше")
    expect(said).to_have_accessible_name("Є коментар: перше")
    assert system.send("PUT", f"/calls/{fresh}/comment", "super", json={"text": "друге"}).ok
    expect(said).to_have_accessible_name("Є коментар: друге")
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(said).to_have_accessible_name("Є коментар: друге")


def test_a_comment_has_at_most_two_hundred_cyrillic_letters(open_app, fresh):
    app = open_app("olha").journal()
    app.row(fresh).locator(".actions button").first.click()
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
    expect(app.row(fresh).locator(".actions button").first).to_have_accessible_name(f"Є коментар: {'ї' * 199}є")


def test_letters_of_two_code_units_count_as_one(open_app, fresh):
    app = open_app("olha").journal()
    app.row(fresh).locator(".actions button").first.click()
    area = app.page.get_by_role("dialog").get_by_role("textbox")
    area.fill("😀" * 201)
    assert area.input_value() == "😀" * 200


def test_a_conflicting_edit_shows_the_other_text_and_keeps_the_own_text(open_app, fresh, system):
    app = open_app("olha", expected=True).journal()
    page = app.page
    assert system.send("PUT", f"/calls/{fresh}/comment", "olha", json={"text": "перший"}).ok
    expect(app.row(fresh).locator(".tool.has").first).to_be_visible()
    app.row(fresh).locator(".actions button").first.click()
    assert system.send("PUT", f"/calls/{fresh}/comment", "super", json={"text": "від Соломії"}).ok
    write(page, "мій текст")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").first).to_contain_text("від Соломії")
    assert dialog.get_by_role("textbox").input_value() == "мій текст"
    page.get_by_role("button", name="Зберегти").click()
    expect(dialog).to_have_count(0)
    assert system.get(f"/calls/{fresh}", "olha").json()["comment"]["text"] == "мій текст"


def test_the_second_of_two_simultaneous_comments_sees_the_first(open_app, fresh, system):
    app = open_app(expected=True).journal()
    app.row(fresh).locator(".actions button").first.click()
    assert system.send("PUT", f"/calls/{fresh}/comment", "super", json={"text": "від Соломії"}).ok
    write(app.page, "мій текст")
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").first).to_contain_text("від Соломії")
    assert dialog.get_by_role("textbox").input_value() == "мій текст"
    assert system.get(f"/calls/{fresh}", "admin").json()["comment"]["text"] == "від Соломії"


def test_an_operator_sees_a_comment_of_another_author_without_edit_actions(open_app, fresh, system):
    assert system.send("PUT", f"/calls/{fresh}/comment", "admin", json={"text": "від адміністратора"}).ok
    app = open_app("olha").journal()
    opened = app.open(fresh)
    opened.get_by_role("button", name="Ще дії").click()
    expect(opened.get_by_role("button", name="Усі версії")).to_be_visible()
    expect(opened.get_by_role("button", name="Редагувати")).to_have_count(0)


def test_a_script_in_a_name_or_a_comment_stays_text(open_app, fresh, calls, system):
    script = "<img src=x onerror=\"document.title='зламано'\"><script>document.title='зламано'</script>"
    assert system.send("PUT", f"/calls/{fresh}/comment", "admin", json={"text": script[:200]}).ok
    contact = {"name": script, "number": "0670000012", "note": script}
    made = system.send("POST", "/contacts", "admin", json=contact).json()
    app = open_app().journal()
    assert app.cell(fresh, "callee").inner_text().splitlines()[0] == script
    expect(app.open(fresh).locator(".comment-text")).to_have_text(script)
    app.go("/contacts")
    expect(app.page.get_by_text(script).first).to_be_visible()
    assert "зламано" not in app.page.title()
    system.send("DELETE", f"/contacts/{made['id']}", "admin")
