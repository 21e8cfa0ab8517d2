"""A recording is played in the row of its call. The bytes and the entry's recording are put in by the test."""

import io
import wave

import pytest
from playwright.sync_api import expect

SECONDS = 12
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
