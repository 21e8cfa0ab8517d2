"""A recording is played in the row of its call; but for the last, bytes and entry are put in by the test."""

import io
import re
import wave
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import expect

from tests.service.recordings.stage import wav_of
from tests.system.test_journal import inbound, told

SECONDS, LONG = 12, 1200
RECORDED = {"state": "available", "duration_seconds": f"{SECONDS}.0", "format": "wav", "size": 192044}


@pytest.fixture(scope="module")
def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(2 * 8000 * SECONDS))
    return file.getvalue()


@pytest.fixture
def listener(visit, calls, sound):
    visitor = visit()
    page = visitor.page

    def with_recording(route):
        answer = route.fetch()
        entries = [
            entry | {"recording": RECORDED} if entry["call_id"] == calls["answered"] else entry
            for entry in answer.json()["entries"]
        ]
        route.fulfill(response=answer, json=answer.json() | {"entries": entries})

    def part(route):
        start = int(route.request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"Content-Range": f"bytes {start}-{len(sound) - 1}/{len(sound)}", "Accept-Ranges": "bytes"}
        route.fulfill(status=206, body=sound[start:], content_type="audio/wav", headers=headers)

    page.route("**/api/v1/journal?*", with_recording)
    page.route("**/recording", part)
    page.route("**/recording/peaks", lambda route: route.fulfill(json={"peaks": [0, 128, 255, 64]}))
    return visitor.journal()


def test_a_recording_is_played_sought_and_closed(listener, calls):
    page, row = listener.page, listener.row(calls["answered"])
    row.get_by_role("button", name="Прослухати запис").click()
    player = page.get_by_role("group", name="Програвач запису")
    expect(player.get_by_role("button", name="Пауза")).to_be_focused()
    expect(player.locator(".wave rect")).to_have_count(4)
    expect(player.locator(".time").first).to_have_text("00:00:01")
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Прослухати запис")).to_be_visible()
    player.get_by_role("slider", name="Місце в записі").fill("9")
    expect(player.locator(".time").first).to_have_text("00:00:09")
    expect(player.get_by_label("Гучність")).to_be_visible()
    player.get_by_label("Швидкість").select_option("1.5")
    player.get_by_role("button", name="Закрити").click()
    expect(player).to_have_count(0)
    expect(row.get_by_role("button", name="Прослухати запис")).to_be_focused()


def test_the_download_is_a_button_of_its_own(listener, calls):
    link = listener.row(calls["answered"]).get_by_role("link", name="Завантажити запис")
    assert link.get_attribute("href") == f"/api/v1/calls/{calls['answered']}/recording?download=1"


def test_without_a_recording_both_are_greyed(listener, calls):
    tools = listener.row(calls["declined"]).locator(".actions")
    expect(tools.get_by_role("button", name="Запису немає")).to_be_disabled()
    expect(tools.get_by_role("link", name="Запису немає")).to_have_attribute("aria-disabled", "true")


def test_what_an_exchange_brought_is_heard_and_sought_by_parts_through_the_one_origin(visit, system, stack):
    call = told(system, inbound(str(uuid4()), datetime.now(UTC) - timedelta(minutes=1)))
    origin, long = stack.env("admin")["BASE_URL"], wav_of(bytes(16_000 * LONG))
    path, key = f"{origin}/api/v1/calls/{call}/recording", {"X-Api-Key": system.keys["acme"]}
    link = requests.put(path, headers=key, allow_redirects=False, timeout=10).headers["Location"]
    assert requests.put(f"{origin}{link}", data=long, timeout=30).status_code == 201
    system.entry(call, "admin", recording=RECORDED | {"duration_seconds": f"{LONG}.000", "size": len(long)})
    visitor = visit(None)
    visitor.url = origin
    visitor.come_in("olha")
    parts = []
    visitor.page.on("response", lambda answer: "/media/" in answer.url and parts.append(answer))
    visitor.journal().row(call).get_by_role("button", name="Прослухати запис").click()
    player = visitor.page.get_by_role("group", name="Програвач запису")
    expect(player.locator(".time").first).to_have_text("00:00:01")
    player.get_by_role("slider", name="Місце в записі").fill(str(LONG - 10))
    expect(player.locator(".time").first).to_have_text(re.compile("00:19:5[1-5]"))
    assert {answer.status for answer in parts} == {206}
    begins = [int(answer.headers["content-range"].removeprefix("bytes ").split("-")[0]) for answer in parts]
    assert max(begins) > len(long) / 2, "what was skipped was not asked for"
    player.get_by_role("button", name="Закрити").click()
    expect(player).to_have_count(0)
