"""The live journal: rows are added and updated, and never move what somebody reads."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from shared.contracts.wire import Json
from tests.browser.day import INBOUND
from tests.browser.test_table import MEANINGS
from tests.support.infrastructure import eventually
from tests.system.test_journal import report, report_call

MAX_LIVE_ROWS = 250
"""A page of 50 rows and the rows that live inserts may add to it."""
MAX_DRAWN_ROWS = 400
"""The rows of the longest list that is drawn as a whole."""
PAGES, COUNTERS = "**/api/v1/journal?*", "**/api/v1/journal/summary?*"


def lifecycle() -> list[Json]:
    call, at = str(uuid4()), datetime.now(UTC)
    outbound = {"direction": "outbound", "caller": "101", "callee": "0671234567"}
    return [
        report(call, "placed", at, **outbound),
        report(call, "ringing", at + timedelta(milliseconds=1), party="+380671234567"),
        report(call, "answered", at + timedelta(milliseconds=2), party="+380671234567"),
        report(call, "ended", at + timedelta(milliseconds=60_002), by="caller", cause=16),
    ]


def placed(seconds: int = 0) -> Json:
    data = INBOUND | {"caller": "0670000099"}
    return report(str(uuid4()), "placed", datetime.now(UTC) + timedelta(seconds=seconds), **data)


def test_a_call_is_updated_live(open_app, calls, system):
    app = open_app("olha").journal()
    placed, ringing, answered, ended = lifecycle()
    call_id = report_call(system, [placed])
    icon = app.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    price = app.open(call_id).locator("dd").nth(5)
    report_call(system, [ringing])
    expect(icon).to_have_accessible_name(MEANINGS["ringing"])
    report_call(system, [answered])
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    expect(app.cell(call_id, "talk")).to_have_text(re.compile(r"^00:00:0[1-9]$"))
    expect(price).to_have_text("з'явиться після дзвінка")
    report_call(system, [{**ended, "at": datetime.now(UTC).isoformat()}])
    expect(price).to_contain_text("грн")
    assert app.page.locator("tr.call").first.get_attribute("data-call") == call_id


def test_new_calls_are_held_back_while_the_reader_has_scrolled(open_app, calls, system):
    app = open_app(viewport={"width": 1440, "height": 500}).journal()
    page = app.page
    row = page.locator("tr.call").nth(8)
    row.scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 100")
    before = row.bounding_box()
    call_ids = [report_call(system, [placed(n)]) for n in range(3)]
    expect(page.get_by_role("button", name="3 нові дзвінки")).to_be_visible()
    assert row.bounding_box() == before
    page.get_by_role("button", name="3 нові дзвінки").click()
    for call_id in call_ids:
        expect(app.row(call_id)).to_be_visible()
    expect(page.locator(".new-calls")).to_be_hidden()


def test_new_calls_are_held_back_while_a_row_is_open(open_app, calls, system):
    app = open_app().journal()
    opened = app.open(calls["answered"])
    expect(opened.locator(".timeline")).to_contain_text("Визначено ціну")
    before = opened.bounding_box()
    report_call(system, [placed()])
    expect(app.page.get_by_role("button", name="1 новий дзвінок")).to_be_visible()
    assert opened.bounding_box() == before


def test_a_call_reported_late_is_inserted_at_its_place(open_app, calls, system):
    app = open_app().journal()
    newest, late = report_call(system, [placed(5)]), report_call(system, [placed(-60)])
    expect(app.row(late)).to_be_visible()
    call_ids = [row.get_attribute("data-call") for row in app.page.locator("tr.call").all()]
    assert call_ids.index(newest) < call_ids.index(late)


def test_a_search_result_shows_later_changes_of_its_comment(open_app, calls, system):
    path = f"/calls/{calls['no_answer']}/comment"
    assert system.send("PUT", path, "admin", json={"text": "шукане слово"}).ok
    app = open_app().journal("?q=шукане")
    button = app.row(calls["no_answer"]).locator(".actions button").first
    expect(button).to_have_accessible_name("Є коментар: шукане слово")
    assert system.send("PUT", path, "super", json={"text": "інше"}).ok
    expect(button).to_have_accessible_name("Є коментар: інше")
    assert system.send("DELETE", path, "admin").ok
    expect(button).to_have_accessible_name("Написати коментар")


def call_of_kateryna(seconds: int = 0) -> Json:
    return report(str(uuid4()), "placed", datetime.now(UTC) + timedelta(seconds=seconds), **INBOUND)


def test_a_new_call_is_shown_in_a_search_that_it_matches(open_app, calls, system):
    app = open_app().journal("?q=власова")
    other, expected = report_call(system, [placed(6)]), report_call(system, [call_of_kateryna(7)])
    expect(app.row(expected)).to_be_visible()
    expect(app.row(other)).to_have_count(0)
    app.open(expected)
    report_call(system, [placed(8)])
    report_call(system, [call_of_kateryna(9)])
    expect(app.page.get_by_role("button", name="1 новий дзвінок")).to_be_visible()


MONTHS = [
    "січня",
    "лютого",
    "березня",
    "квітня",
    "травня",
    "червня",
    "липня",
    "серпня",
    "вересня",
    "жовтня",
    "листопада",
    "грудня",
]
CHECK_INTERVAL_MS = 15_000
"""The interval at which the page checks for a new day and for unavailable services."""


def advance_a_day(app):
    """Respond as on the next day, before its first call."""
    date = {"date": format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)}
    empty = {"entries": [], "next_cursor": None, "total": 0, "inbound": 0, "outbound": 0, "missed": 0, "internal": 0}

    def respond(route):
        response = route.fetch()
        route.fulfill(response=response, headers=response.headers | date, json=response.json() | empty)

    for pattern in (PAGES, COUNTERS):
        app.page.route(pattern, respond)


def test_a_page_that_stays_open_shows_the_new_day(open_app, calls, system):
    app, call_id = open_app(), report_call(system, [placed(20)])
    page = app.page
    page.clock.install()
    app.go("/")
    expect(app.row(call_id)).to_be_visible()
    total, heading = page.locator(".tile.total b"), page.locator("main .heading").first
    expect(total).not_to_have_text("…")
    advance_a_day(app)
    for _ in range(2):
        with page.expect_response(PAGES):
            page.clock.fast_forward(CHECK_INTERVAL_MS)
    expect(page.locator("tr.call")).to_have_count(0)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).astimezone(ZoneInfo("Europe/Kyiv"))
    expect(heading).to_contain_text(f"{tomorrow.day} {MONTHS[tomorrow.month - 1]}")
    expect(total).to_have_text("0")


def test_a_new_day_is_held_back_while_a_row_is_open(open_app, calls, system):
    app, call_id = open_app(), report_call(system, [placed(20)])
    app.page.clock.install()
    app.journal("?period=today")
    opened = app.open(call_id)
    expect(opened.locator(".timeline li")).to_have_count(1)
    advance_a_day(app)
    for _ in range(2):
        with app.page.expect_response(PAGES):
            app.page.clock.fast_forward(CHECK_INTERVAL_MS)
    expect(opened).to_be_visible()
    app.row(call_id).locator(".chevron").click()
    app.page.clock.fast_forward(CHECK_INTERVAL_MS)
    expect(app.row(call_id)).to_have_count(0)


def test_a_lost_connection_is_resumed_and_reported(open_app, calls, system):
    app = open_app("olha", errors_expected=True).journal()
    page = app.page
    event_ids = []
    page.on(
        "request", lambda request: "/stream" in request.url and event_ids.append(request.headers.get("last-event-id"))
    )
    placed, *rest = lifecycle()
    call_id = report_call(system, [placed])
    expect(app.row(call_id)).to_be_visible()
    system.processes["gateway"].kill()
    expect(page.locator("#toast")).to_have_text("Зв'язок втрачено, відновлюємо…")
    system.start("gateway")
    report_call(system, rest[:2])
    expect(page.locator("#toast")).to_have_text("Зв'язок відновлено, нічого не пропущено", timeout=20_000)
    expect(app.cell(call_id, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["answered"])
    assert event_ids[-1]


def test_a_long_list_draws_few_rows_while_it_is_scrolled_and_changes(open_app, system):
    app = open_app("foreign").journal()
    page = app.page
    reports = [placed(n) | {"tenant": "other"} for n in range(450)]
    ids = system.report("other", reports).json()["calls"]
    oldest, newest = (ids[reports[n]["call"]] for n in (0, -1))
    expect(app.row(newest)).to_be_visible(timeout=20_000)
    assert page.locator("tr.call").count() <= MAX_LIVE_ROWS
    page.get_by_role("combobox", name="На сторінці").select_option("10000")
    expect(page.locator("tr.call").nth(MAX_LIVE_ROWS // 2)).to_be_attached()
    page.mouse.move(700, 500)
    while not app.row(oldest).count():
        page.mouse.wheel(0, 4000)
        assert page.locator("tr.call").count() <= MAX_DRAWN_ROWS
    ringing = report(reports[0]["call"], "ringing", datetime.now(UTC) + timedelta(seconds=1), party="101")
    report_call(system, [ringing | {"tenant": "other"}], "other")
    expect(app.cell(oldest, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["ringing"])
    # Repeat: the wheel may still be scrolling.
    eventually(lambda: page.keyboard.press("Control+Home") or page.evaluate("scrollY") == 0)
    expect(app.row(newest)).to_be_visible()
    expect(app.row(oldest)).to_have_count(0)
