"""The journal as it happens: rows come and change by themselves, and never move what somebody reads."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from shared.contracts.wire import Json
from tests.browser.day import IN
from tests.browser.test_table import MEANINGS
from tests.support.infrastructure import eventually
from tests.system.test_journal import report, told

MOST = 250
"""Rows of a page of 50, and those that may come on top of it before the page begins anew."""
DRAWN = 400
"""Rows of the longest list that is drawn whole."""
PAGES, COUNTERS = "**/api/v1/journal?*", "**/api/v1/journal/summary?*"


def life() -> list[Json]:
    call, at = str(uuid4()), datetime.now(UTC)
    outbound = {"direction": "outbound", "caller": "101", "callee": "0671234567"}
    return [
        report(call, "placed", at, **outbound),
        report(call, "ringing", at + timedelta(milliseconds=1), party="+380671234567"),
        report(call, "answered", at + timedelta(milliseconds=2), party="+380671234567"),
        report(call, "ended", at + timedelta(milliseconds=60_002), by="caller", cause=16),
    ]


def placed(seconds: int = 0) -> Json:
    data = IN | {"caller": "0670000099"}
    return report(str(uuid4()), "placed", datetime.now(UTC) + timedelta(seconds=seconds), **data)


def test_a_call_lives_before_the_eyes_of_who_watches(visit, calls, system):
    visitor = visit("olha").journal()
    placed, rings, answers, ends = life()
    call_id = told(system, [placed])
    icon = visitor.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    price = visitor.open(call_id).locator("dd").nth(5)
    told(system, [rings])
    expect(icon).to_have_accessible_name(MEANINGS["ringing"])
    told(system, [answers])
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    expect(visitor.cell(call_id, "talk")).to_have_text("00:00:01")
    expect(price).to_have_text("з'явиться після дзвінка")
    told(system, [{**ends, "at": datetime.now(UTC).isoformat()}])
    expect(price).to_contain_text("грн")
    assert visitor.page.locator("tr.call").first.get_attribute("data-call") == call_id


def test_new_calls_wait_for_who_has_scrolled_away(visit, calls, system):
    visitor = visit(viewport={"width": 1440, "height": 500}).journal()
    page = visitor.page
    read = page.locator("tr.call").nth(8)
    read.scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 100")
    before = read.bounding_box()
    told_ids = [told(system, [placed(n)]) for n in range(3)]
    expect(page.get_by_role("button", name="3 нові дзвінки")).to_be_visible()
    assert read.bounding_box() == before
    page.get_by_role("button", name="3 нові дзвінки").click()
    for call_id in told_ids:
        expect(visitor.row(call_id)).to_be_visible()
    expect(page.locator(".new-calls")).to_be_hidden()


def test_new_calls_wait_while_somebody_reads_an_opened_row(visit, calls, system):
    visitor = visit().journal()
    opened = visitor.open(calls["answered"])
    expect(opened.locator(".timeline")).to_contain_text("Визначено ціну")
    before = opened.bounding_box()
    told(system, [placed()])
    expect(visitor.page.get_by_role("button", name="1 новий дзвінок")).to_be_visible()
    assert opened.bounding_box() == before


def test_a_call_that_is_told_late_is_put_where_it_belongs(visit, calls, system):
    visitor = visit().journal()
    newest, late = told(system, [placed(5)]), told(system, [placed(-60)])
    expect(visitor.row(late)).to_be_visible()
    shown = [row.get_attribute("data-call") for row in visitor.page.locator("tr.call").all()]
    assert shown.index(newest) < shown.index(late)


def test_what_was_found_by_its_comment_shows_what_became_of_that(visit, calls, system):
    path = f"/calls/{calls['no_answer']}/comment"
    assert system.send("PUT", path, "admin", json={"text": "шукане слово"}).ok
    visitor = visit().journal("?q=шукане")
    said = visitor.row(calls["no_answer"]).locator(".actions button").first
    expect(said).to_have_accessible_name("Є коментар: шукане слово")
    assert system.send("PUT", path, "super", json={"text": "інше"}).ok
    expect(said).to_have_accessible_name("Є коментар: інше")
    assert system.send("DELETE", path, "admin").ok
    expect(said).to_have_accessible_name("Написати коментар")


def of_kateryna(seconds: int = 0) -> Json:
    return report(str(uuid4()), "placed", datetime.now(UTC) + timedelta(seconds=seconds), **IN)


def test_a_call_that_comes_is_shown_where_it_has_what_is_sought(visit, calls, system):
    visitor = visit().journal("?q=власова")
    other, sought = told(system, [placed(6)]), told(system, [of_kateryna(7)])
    expect(visitor.row(sought)).to_be_visible()
    expect(visitor.row(other)).to_have_count(0)
    visitor.open(sought)
    told(system, [placed(8)])
    told(system, [of_kateryna(9)])
    expect(visitor.page.get_by_role("button", name="1 новий дзвінок")).to_be_visible()


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
CHECK = 15_000
"""Milliseconds between two looks at whether all is as it is shown."""


def a_day_later(visitor):
    """The server's clock is a day on, and nobody has called yet."""
    date = {"date": format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)}
    none = {"entries": [], "next_cursor": None, "total": 0, "inbound": 0, "outbound": 0, "missed": 0, "internal": 0}

    def tomorrow(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | date, json=answer.json() | none)

    for pattern in (PAGES, COUNTERS):
        visitor.page.route(pattern, tomorrow)


def test_a_new_day_begins_on_a_page_that_stays_open(visit, calls, system):
    visitor, call_id = visit(), told(system, [placed(20)])
    page = visitor.page
    page.clock.install()
    visitor.go("/")
    expect(visitor.row(call_id)).to_be_visible()
    total, heading = page.locator(".tile.total b"), page.locator("main .heading").first
    expect(total).not_to_have_text("…")
    a_day_later(visitor)
    for _ in range(2):
        with page.expect_response(PAGES):
            page.clock.fast_forward(CHECK)
    expect(page.locator("tr.call")).to_have_count(0)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).astimezone(ZoneInfo("Europe/Kyiv"))
    expect(heading).to_contain_text(f"{tomorrow.day} {MONTHS[tomorrow.month - 1]}")
    expect(total).to_have_text("0")


def test_a_new_day_waits_for_who_reads_an_opened_row(visit, calls, system):
    visitor, call_id = visit(), told(system, [placed(20)])
    visitor.page.clock.install()
    visitor.journal("?period=today")
    opened = visitor.open(call_id)
    expect(opened.locator(".timeline li")).to_have_count(1)
    a_day_later(visitor)
    for _ in range(2):
        with visitor.page.expect_response(PAGES):
            visitor.page.clock.fast_forward(CHECK)
    expect(opened).to_be_visible()
    visitor.row(call_id).locator(".chevron").click()
    visitor.page.clock.fast_forward(CHECK)
    expect(visitor.row(call_id)).to_have_count(0)


def test_after_a_lost_connection_it_goes_on_and_says_so(visit, calls, system):
    visitor = visit("olha", expected=True).journal()
    page = visitor.page
    resumed = []
    page.on(
        "request", lambda request: "/stream" in request.url and resumed.append(request.headers.get("last-event-id"))
    )
    begun, *rest = life()
    call_id = told(system, [begun])
    expect(visitor.row(call_id)).to_be_visible()
    system.processes["gateway"].kill()
    expect(page.locator("#toast")).to_have_text("Зв'язок втрачено, відновлюємо…")
    system.start("gateway")
    told(system, rest[:2])
    expect(page.locator("#toast")).to_have_text("Зв'язок відновлено, нічого не пропущено", timeout=20_000)
    expect(visitor.cell(call_id, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["answered"])
    assert resumed[-1]


def test_hundreds_of_calls_leave_the_page_small_and_are_scrolled_through_while_they_change(visit, system):
    visitor = visit("foreign").journal()
    page = visitor.page
    told_of = [placed(n) | {"tenant": "other"} for n in range(450)]
    ids = system.report("other", told_of).json()["calls"]
    oldest, newest = (ids[told_of[n]["call"]] for n in (0, -1))
    expect(visitor.row(newest)).to_be_visible(timeout=20_000)
    assert page.locator("tr.call").count() <= MOST
    page.get_by_role("combobox", name="На сторінці").select_option("10000")
    expect(page.locator("tr.call").nth(MOST // 2)).to_be_attached()
    page.mouse.move(700, 500)
    while not visitor.row(oldest).count():
        page.mouse.wheel(0, 4000)
        assert page.locator("tr.call").count() <= DRAWN
    rings = report(told_of[0]["call"], "ringing", datetime.now(UTC) + timedelta(seconds=1), party="101")
    told(system, [rings | {"tenant": "other"}], "other")
    expect(visitor.cell(oldest, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["ringing"])
    # Once more, should the wheel still be turning.
    eventually(lambda: page.keyboard.press("Control+Home") or page.evaluate("scrollY") == 0)
    expect(visitor.row(newest)).to_be_visible()
    expect(visitor.row(oldest)).to_have_count(0)
