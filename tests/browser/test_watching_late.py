"""What comes late, or not at all, is not put over what is newer; and what no stream tells is asked for."""

import json
from contextlib import contextmanager
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.test_table import MEANINGS
from tests.browser.test_watching import COUNTERS, PAGES, life, placed
from tests.system.test_journal import told

TIMELINES, PRICES, STREAMS = "**/timeline", "**/price", "**/journal/stream*"
BROKEN = {"status": 500, "content_type": "application/problem+json", "body": json.dumps({"title": "Failed"})}


def answered_late(visitor):
    """Home, with the first page of its journal answered and on its way: the route and the answer."""
    page, late = visitor.page, []
    page.route(PAGES, lambda route: late.append((route, route.fetch())))
    visitor.go("/")
    expect(page.locator(".pill.live")).to_be_visible()
    while not late:
        page.wait_for_timeout(20)
    return late[0]


def test_a_page_that_comes_late_undoes_nothing_of_what_happened_since(visit, calls, system):
    begun, rings, *_ = life()
    call_id = told(system, [begun])
    visitor = visit()
    route, answer = answered_late(visitor)
    # The counters are asked for anew after what happens was heard of.
    with visitor.page.expect_request(COUNTERS):
        told(system, [rings])
        newest = told(system, [placed(1)])
    route.fulfill(response=answer)
    expect(visitor.row(call_id)).to_be_visible()
    expect(visitor.row(newest)).to_be_visible()
    expect(visitor.cell(call_id, "status").get_by_role("img")).to_have_accessible_name(MEANINGS["ringing"])


def test_what_happens_before_a_first_page_that_fails_does_not_keep_the_next_one_out(visit, calls, system):
    visitor = visit(expected=True)
    page = visitor.page
    route, _ = answered_late(visitor)
    with page.expect_request(COUNTERS):
        told(system, [placed(2)])
        newest = told(system, [placed(3)])
    route.fulfill(**BROKEN)
    expect(page.get_by_role("alert")).to_contain_text("Не вдалося показати")
    page.unroute(PAGES)
    page.get_by_role("button", name="Спробувати ще раз").click()
    expect(visitor.row(newest)).to_be_visible()
    assert all("500" in error for error in visitor.errors), visitor.errors


def first_held(page, pattern, **changed):
    """The first answer to such a question, kept back until it is let go, when `changed` replaces what it says."""
    held = []

    def take(route):
        if held:
            return route.continue_()
        answer = route.fetch()
        return held.append(lambda: route.fulfill(response=answer, json=answer.json() | changed))

    page.route(pattern, take)
    return held


def let_go(page, held):
    with page.expect_event("requestfinished"):
        held[0]()
    page.evaluate("() => new Promise((done) => setTimeout(done, 50))")


def test_a_course_that_comes_late_is_not_put_over_a_newer_one(visit, calls, system):
    begun, rings, *_ = life()
    call_id = told(system, [begun])
    visitor = visit().journal()
    page = visitor.page
    held = first_held(page, TIMELINES)
    with page.expect_request(TIMELINES):
        steps = visitor.open(call_id).locator(".timeline li")
    with page.expect_response(TIMELINES):
        told(system, [rings])
    expect(steps).to_have_count(2)
    let_go(page, held)
    expect(steps).to_have_count(2)


def test_an_explanation_that_comes_late_is_not_put_over_a_newer_one(visit, calls):
    visitor = visit().journal()
    page = visitor.page
    held = first_held(page, PRICES, tariff={"id": str(uuid4()), "name": "Колишній"})
    opened = visitor.open(calls["network_error"])
    opener = opened.locator(".opens-price")
    with page.expect_request(PRICES):
        opener.click()
    opener.click()
    with page.expect_response(PRICES):
        opener.click()
    expect(opened.locator(".why")).to_contain_text("Тариф «Базовий»")
    let_go(page, held)
    expect(opened.locator(".why")).to_contain_text("Тариф «Базовий»")


@contextmanager
def missed(page, system):
    """What happens meanwhile no stream tells: the gateway goes and comes, and does not know where this one was."""
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


def test_what_no_stream_tells_any_more_is_asked_for_and_said(visit, calls, system):
    visitor = visit("olha", expected=True).journal()
    begun, rings, answers, _ = life()
    call_id = told(system, [begun])
    icon = visitor.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    opened = visitor.open(calls["answered"])
    with missed(visitor.page, system):
        told(system, [rings, answers])
        newest = told(system, life()[:1])
    expect(visitor.page.locator("#toast")).to_have_text("Зв'язок відновлено, журнал оновлено", timeout=20_000)
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
    expect(visitor.row(newest)).to_be_visible()
    expect(opened).to_be_visible()
    expect(visitor.page.locator(".pill.live")).to_be_visible()


def test_a_page_that_was_asked_for_earlier_is_not_put_over_a_later_one(visit, calls, system):
    visitor = visit(expected=True).journal()
    page, (begun, rings, *_) = visitor.page, life()
    call_id = told(system, [begun])
    icon = visitor.cell(call_id, "status").get_by_role("img")
    visitor.open(calls["answered"])
    told(system, [placed(5)])
    held = first_held(page, PAGES)
    page.locator(".new-calls").click()
    while not held:
        page.wait_for_timeout(20)
    with missed(page, system):
        told(system, [rings])
    expect(icon).to_have_accessible_name(MEANINGS["ringing"], timeout=20_000)
    let_go(page, held)
    expect(icon).to_have_accessible_name(MEANINGS["ringing"])


HIDDEN = "window.frames_due = []; window.requestAnimationFrame = (act) => frames_due.push(act);"
SHOWN_AGAIN = "() => { while (frames_due.length) frames_due.shift()(); }"


def test_what_was_heard_while_the_page_was_hidden_is_not_put_over_what_it_was_told_since(visit, calls, system):
    begun, rings, answers, _ = life()
    call_id = told(system, [begun])
    visitor = visit(expected=True)
    page = visitor.page
    page.add_init_script(HIDDEN)
    visitor.go("/")
    icon = visitor.cell(call_id, "status").get_by_role("img")
    expect(icon).to_have_accessible_name(MEANINGS["connecting"])
    with page.expect_request(COUNTERS):
        told(system, [rings])
    with missed(page, system):
        told(system, [answers])
    expect(icon).to_have_accessible_name(MEANINGS["answered"], timeout=20_000)
    page.evaluate(SHOWN_AGAIN)
    expect(icon).to_have_accessible_name(MEANINGS["answered"])
