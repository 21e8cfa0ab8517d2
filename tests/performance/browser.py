"""Measure the page in Chromium: time to the first row, and frame times while scrolling through changing rows."""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from services.gateway.journal import change_feed
from tests.browser.page_object import ARGUMENTS
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.performance.page import _fill
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied
from tests.support.system import System

VISITS = 7
SCROLLED = 10_000
SLICE, PAUSE = 250, 0.5
"""Rows changed at once, and seconds until the next change."""
STEP, STEP_PAUSE, TURNS_A_LOOK, MOST_TURNS = 600, 20, 100, 5000
"""Pixels per wheel event, milliseconds between events, events between memory samples, and the maximum of events."""
FIRST_ROW_LIMIT, FRAME_LIMIT, HEAP_LIMIT, ROWS_LIMIT = 1.0, 50.0, 64.0, 400
"""Limits: seconds; milliseconds on cores shared with all services; MiB; rows."""
NEWEST = "select call_id::text from journal where tenant = %(tenant)s order by placed_at desc limit %(limit)s"
CHANGE = (
    "update journal set talk_time = talk_time + interval '1 s' where tenant = %(tenant)s and call_id = any(%(ids)s)"
)
WATCH_FOR_A_ROW = """
    localStorage.language = 'en';
    new MutationObserver((_, observer) => {
        if (!document.querySelector("tr.call")) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => (window.firstRow = performance.now())));
    }).observe(document, { childList: true, subtree: true });
"""
COUNT_FRAMES = """
    window.frames_ = [];
    let before = performance.now();
    (function frame(now) {
        window.frames_.push(now - before);
        before = now;
        requestAnimationFrame(frame);
    })(before);
"""
BOTTOM = "scrollY + innerHeight >= document.documentElement.scrollHeight - 2"


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db, sync_playwright() as playwright:
        company.create(gateway_db)
        world = next(system.start(stack, services, {}))
        _fill(stack, arguments.rows)
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        figures = [_first_row(chromium, world, arguments.rows, login) for login in ("admin", "op101")]
        figures += _scrolling(chromium, world, stack)
        chromium.close()
    return figures


def _signed_in_context(chromium: Browser, world: System, login: str) -> BrowserContext:
    """A signed-in browser context with an empty cache."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    cookies = world.sign_in(login).cookies
    origin = world.url.removesuffix("/api/v1")
    context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in cookies.items()])
    context.add_init_script(WATCH_FOR_A_ROW)
    return context


def _journal(world: System, query: str = "") -> str:
    return f"{world.url.removesuffix('/api/v1')}/journal{query}"


def _first_row(chromium: Browser, world: System, rows: int, login: str) -> Figure:
    times = list[float]()
    for _ in range(VISITS):
        context = _signed_in_context(chromium, world, login)
        page = context.new_page()
        page.goto(_journal(world))
        times.append(_first_row_at(page) / 1000)
        context.close()
    typical, worst = median(times), max(times)
    what = f"first row of {rows:,} calls in Chromium, as {login}, nothing kept from before"
    return Figure(what, f"{typical:.2f} s, at worst {worst:.2f} s", f"{FIRST_ROW_LIMIT:.0f} s", worst < FIRST_ROW_LIMIT)


def _first_row_at(page: Page) -> float:
    """Milliseconds after the navigation started."""
    page.locator("tr.call").first.wait_for()
    return float(page.evaluate("new Promise((done) => setTimeout(() => done(window.firstRow), 100))"))


def _scrolling(chromium: Browser, world: System, stack: Stack) -> list[Figure]:
    context = _signed_in_context(chromium, world, "admin")
    page = context.new_page()
    page.goto(_journal(world, f"?limit={SCROLLED}"))
    _first_row_at(page)
    page.evaluate(COUNT_FRAMES)
    page.mouse.move(700, 450)
    heaps, rows, last = list[float](), list[int](), _last(stack)
    with _changing(stack) as changed:
        for turn in range(1, MOST_TURNS):
            page.mouse.wheel(0, STEP)
            page.wait_for_timeout(STEP_PAUSE)
            if turn % TURNS_A_LOOK == 0:
                heaps.append(_heap(context, page))
                rows.append(page.locator("tr.call").count())
                if page.evaluate(BOTTOM) and _at(page) == last:
                    break
    frames = sorted(page.evaluate("window.frames_"))
    seen = _at(page) == last
    context.close()
    typical, most = median(frames), frames[int(len(frames) * 0.95)]
    what = f"scrolling through {SCROLLED:,} rows while {changed[0]:,} of them change"
    return [
        Figure(
            f"{what}: 95 of 100 frames within",
            f"{most:.0f} ms ({typical:.0f} typically)",
            f"{FRAME_LIMIT:.0f} ms",
            seen and most <= FRAME_LIMIT,
        ),
        Figure(
            "its memory at the beginning, and at most",
            f"{heaps[0]:.1f} and {max(heaps):.1f} MiB",
            f"{HEAP_LIMIT:.0f} MiB",
            max(heaps) <= HEAP_LIMIT,
        ),
        Figure("rows in the document, at most", f"{max(rows)}", f"{ROWS_LIMIT}", max(rows) <= ROWS_LIMIT),
    ]


def _at(page: Page) -> str | None:
    return page.locator("tr.call").last.get_attribute("data-call")


def _last(stack: Stack) -> str:
    with psycopg.connect(stack.env("gateway")["OWNER_DATABASE_URL"]) as conn:
        return str(conn.execute(NEWEST, {"tenant": company.TENANT, "limit": SCROLLED}).fetchall()[-1][0])


def _heap(context: BrowserContext, page: Page) -> float:
    """MiB of the JavaScript heap after garbage collection."""
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    held: Any = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(held["usedSize"]) / 2**20


@contextmanager
def _changing(stack: Stack) -> Iterator[list[int]]:
    """Change the newest calls in slices, as the projector does; yields a list with the number of changes."""
    over, changed = threading.Event(), [0]
    url, of_tenant = stack.env("gateway")["OWNER_DATABASE_URL"], {"tenant": company.TENANT}

    def change() -> None:
        with psycopg.connect(url) as conn:
            ids = [one for (one,) in conn.execute(NEWEST, {**of_tenant, "limit": SCROLLED}).fetchall()]
            at = 0
            while not over.is_set():
                some = ids[at : at + SLICE]
                conn.execute(CHANGE, {**of_tenant, "ids": some})
                change_feed.assign_feed_numbers(conn, {(company.TENANT, one) for one in some})
                conn.commit()
                changed[0] += len(some)
                at = (at + SLICE) % SCROLLED
                time.sleep(PAUSE)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield changed
    finally:
        over.set()
        thread.join()
