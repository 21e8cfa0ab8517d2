"""Late responses do not replace newer data, and changes that the stream misses are loaded."""

import json
from contextlib import contextmanager
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.test_table import MEANINGS
from tests.browser.test_watching import COUNTERS, PAGES, lifecycle, placed
from tests.system.test_journal import report_call

TIMELINES, PRICES, STREAMS = "**/timeline", "**/price", "**/journal/stream*"
FAILURE = {"status": 500, "content_type": "application/problem+json", "body": json.dumps({"title": "Failed"})}


def hold_first_page(app):
    """Open home and hold the response with its first page. Return the route and the response."""
    page, held = app.page, []
    page.route(PAGES, lambda route: held.append((route, route.fetch())))
    app.go("/")
    expect(page.locator(".pill.live")).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    return held[0]


def test_a_late_first_page_does_not_undo_newer_changes(open_app, calls, system):
    placed_report, ringing, *_ = lifecycle()
    call_id = report_call(system, [placed_report])
    app = open_app()
    route, response = hold_first_page(app)
    # The counters are requested again after the page has received a change.
    with app.page.expect_request(COUNTERS):
        report_call(system, [ringing])
        newest = report_call(system, [placed(1)])
    route.fulfill(response=response)
    expect(app.row(call_id)).to_be_visible()
    expect(app.row(newest)).to_be_visible()
    expect(app.cell(call_id, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["ringing"])


def test_changes_before_a_failed_first_page_do_not_block_the_retry(open_app, calls, system):
    app = open_app(errors_expected=True)
    page = app.page
    route, _ = hold_first_page(app)
    with page.expect_request(COUNTERS):
        report_call(system, [placed(2)])
        newest = report_call(system, [placed(3)])
    route.fulfill(**FAILURE)
    expect(page.get_by_role("alert")).to_contain_text("Не вдалося показати")
    page.unroute(PAGES)
    page.get_by_role("button", name="Спробувати ще раз").click()
    expect(app.row(newest)).to_be_visible()
    assert all("500" in error for error in app.errors), app.errors


def hold_first_response(page, pattern, **changed):
    """Hold the first response until `release`; `changed` replaces fields of its body."""
    held = []

    def hold(route):
        if held:
            return route.continue_()
        response = route.fetch()
        return held.append(lambda: route.fulfill(response=response, json=response.json() | changed))

    page.route(pattern, hold)
    return held


def release(page, held):
    with page.expect_event("requestfinished"):
        held[0]()
    page.evaluate("() => new Promise((done) => setTimeout(done, 50))")


def test_a_late_timeline_does_not_replace_a_newer_one(open_app, calls, system):
    placed_report, ringing, *_ = lifecycle()
    call_id = report_call(system, [placed_report])
    app = open_app().journal()
    page = app.page
    held = hold_first_response(page, TIMELINES)
    with page.expect_request(TIMELINES):
        steps = app.open(call_id).locator(".timeline li")
    with page.expect_response(TIMELINES):
        report_call(system, [ringing])
    expect(steps).to_have_count(2)
    release(page, held)
    expect(steps).to_have_count(2)


def test_a_late_price_explanation_does_not_replace_a_newer_one(open_app, calls):
    app = open_app().journal()
    page = app.page
    held = hold_first_response(page, PRICES, tariff={"id": str(uuid4()), "name": "Колишній"})
    opened = app.open(calls["network_error"])
    price_toggle = opened.locator(".price-toggle")
    with page.expect_request(PRICES):
        price_toggle.click()
    price_toggle.click()
    with page.expect_response(PRICES):
        price_toggle.click()
    expect(opened.locator(".price-details")).to_contain_text("Тариф «Базовий»")
    release(page, held)
    expect(opened.locator(".price-details")).to_contain_text("Тариф «Базовий»")


@contextmanager
def stream_gap(page, system):
    """Restart the gateway; the stream reports no change of the block, and the gateway cannot resume it."""
    held = []

    def hold(route):
        return held.append(route) if "last-event-id" in route.request.headers else route.continue_()

    page.route(STREAMS, hold)
    system.processes["gateway"].kill()
    system.start("gateway")
    yield
    while not held:
        page.wait_for_timeout(20)
    held[0].fulfill(status=422, content_type="application/problem+json", body="{}")


def test_changes_the_stream_cannot_resume_are_loaded_and_reported(open_app, calls, system):
    app = open_app("olha", errors_expected=True).journal()
    placed_report, ringing, answered, _ = lifecycle()
    call_id = report_call(system, [placed_report])
    icon = app.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    opened = app.open(calls["answered"])
    with stream_gap(app.page, system):
        report_call(system, [ringing, answered])
        newest = report_call(system, lifecycle()[:1])
    expect(app.page.locator("#toast")).to_have_text("Зв'язок відновлено, журнал оновлено", timeout=20_000)
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    expect(app.row(newest)).to_be_visible()
    expect(opened).to_be_visible()
    expect(app.page.locator(".pill.live")).to_be_visible()


def test_an_earlier_page_request_does_not_replace_a_later_one(open_app, calls, system):
    app = open_app(errors_expected=True).journal()
    page, (placed_report, ringing, *_) = app.page, lifecycle()
    call_id = report_call(system, [placed_report])
    icon = app.cell(call_id, "status").get_by_role("img")
    app.open(calls["answered"])
    report_call(system, [placed(5)])
    held = hold_first_response(page, PAGES)
    page.locator(".new-calls").click()
    while not held:
        page.wait_for_timeout(20)
    with stream_gap(page, system):
        report_call(system, [ringing])
    expect(icon).to_have_accessible_name(MEANINGS["ringing"], timeout=20_000)
    release(page, held)
    expect(icon).to_have_accessible_name(MEANINGS["ringing"])


QUEUE_FRAMES = "window.frames_due = []; window.requestAnimationFrame = (act) => frames_due.push(act);"
RUN_FRAMES = "() => { while (frames_due.length) frames_due.shift()(); }"


def test_changes_received_while_hidden_do_not_replace_a_newer_page(open_app, calls, system):
    placed_report, ringing, answered, _ = lifecycle()
    call_id = report_call(system, [placed_report])
    app = open_app(errors_expected=True)
    page = app.page
    page.add_init_script(QUEUE_FRAMES)
    app.go("/")
    icon = app.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    with page.expect_request(COUNTERS):
        report_call(system, [ringing])
    with stream_gap(page, system):
        report_call(system, [answered])
    expect(icon).to_have_accessible_name(MEANINGS["answered"], timeout=20_000)
    page.evaluate(RUN_FRAMES)
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
