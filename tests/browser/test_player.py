"""A recording is played in the row of its call, through the edge in front of gateway and recordings."""

import math
import re
import struct
import wave
from io import BytesIO
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.service.recordings.media_client import wav_of
from tests.support.infrastructure import eventually

TONE_SECONDS, SAMPLE_RATE = 12, 8000
LONG_SECONDS = 1200
AVAILABLE = {"state": "available", "duration_seconds": f"{LONG_SECONDS}.000", "format": "wav"}


def tone_wav() -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        samples = (int(9000 * math.sin(n / 9) * abs(math.sin(n / 9000))) for n in range(SAMPLE_RATE * TONE_SECONDS))
        wav.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


@pytest.fixture(scope="module")
def origin(stack) -> str:
    return stack.env("admin")["BASE_URL"]


@pytest.fixture(scope="module")
def recorded(calls, system, origin) -> str:
    """A call with an uploaded recording."""
    call_id, key = calls["answered"], {"X-Api-Key": system.keys["acme"]}
    url = f"{origin}/api/v1/calls/{call_id}/recording"
    link = requests.put(url, headers=key, timeout=10, allow_redirects=False).headers["Location"]
    uploaded = requests.put(f"{origin}{link}", data=tone_wav(), timeout=30)
    assert uploaded.ok, uploaded.text
    eventually(lambda: system.entry(call_id, "admin")["recording"]["state"] == "available")
    return call_id


@pytest.fixture
def recording_app(open_app, recorded, origin):
    app = open_app()
    app.url = origin
    return app.journal()


def test_a_recording_is_played_seeked_and_closed(recording_app, recorded):
    page, row = recording_app.page, recording_app.row(recorded)
    row.get_by_role("button", name="Прослухати запис").click()
    player = page.get_by_role("group", name="Програвач запису")
    expect(player.get_by_role("button", name="Пауза")).to_be_focused()
    expect(player.locator(".wave rect").nth(20)).to_be_attached()
    heights = player.locator(".wave rect").evaluate_all("bars => bars.map((bar) => bar.getAttribute('height'))")
    assert len(set(heights)) > 10
    expect(player.locator(".time").first).to_have_text("00:00:01")
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Прослухати запис")).to_be_visible()
    player.get_by_role("slider", name="Місце в записі").fill("9")
    expect(player.locator(".time").first).to_have_text("00:00:09")
    player.get_by_label("Гучність").fill("0.25")
    player.get_by_label("Швидкість").select_option("1.5")
    player.get_by_role("button", name="Закрити").click()
    expect(player).to_have_count(0)
    expect(row.get_by_role("button", name="Прослухати запис")).to_be_focused()


def test_two_clicks_while_the_player_loads_open_one_player(recording_app, recorded):
    page, held_routes = recording_app.page, []
    page.route("**/player.js*", lambda route: held_routes.append(route))
    play = recording_app.row(recorded).get_by_role("button", name="Прослухати запис")
    with page.expect_request("**/player.js*"):
        play.dblclick()
    held_routes[0].continue_()
    player = page.get_by_role("group", name="Програвач запису")
    expect(player.locator(".time").first).to_have_text("00:00:01")
    expect(player).to_have_count(1)
    player.get_by_role("button", name="Закрити").click()


def test_a_missing_waveform_is_a_plain_line_and_playback_works(open_app, recorded, origin):
    app = open_app(errors_expected=True)
    app.url, page = origin, app.page
    page.route("**/recording/peaks", lambda route: route.abort())
    app.journal().row(recorded).get_by_role("button", name="Прослухати запис").click()
    player = page.get_by_role("group", name="Програвач запису")
    expect(player.locator(".time").first).to_have_text("00:00:01")
    heights = player.locator(".wave rect").evaluate_all("bars => bars.map((bar) => bar.getAttribute('height'))")
    assert len(set(heights)) == 1
    expect(page.locator("#toast")).to_be_empty()
    assert app.errors == ["Failed to load resource: net::ERR_FAILED"]


def test_the_download_has_its_own_button(recording_app, recorded):
    with recording_app.page.expect_download() as download:
        recording_app.row(recorded).get_by_role("link", name="Завантажити запис").click()
    assert Path(download.value.path()).read_bytes() == tone_wav()


def test_without_a_recording_play_and_download_are_disabled(open_app, calls):
    tools = open_app().journal().row(calls["declined"]).locator(".actions")
    expect(tools.get_by_role("button", name="Запису немає")).to_be_disabled()
    expect(tools.get_by_role("link", name="Запису немає")).to_have_attribute("aria-disabled", "true")


def test_an_uploaded_recording_is_played_and_seeked_by_byte_ranges_from_the_same_origin(
    open_app, system, calls, origin
):
    call, recording = calls["returned"], wav_of(bytes(16_000 * LONG_SECONDS))
    path, key = f"{origin}/api/v1/calls/{call}/recording", {"X-Api-Key": system.keys["acme"]}
    link = requests.put(path, headers=key, allow_redirects=False, timeout=10).headers["Location"]
    assert requests.put(f"{origin}{link}", data=recording, timeout=30).status_code == 201
    system.entry(call, "admin", recording={**AVAILABLE, "size": len(recording)})
    app = open_app(None)
    app.url = origin
    app.restore_session("olha")
    media_responses = []
    app.page.on("response", lambda response: "/media/" in response.url and media_responses.append(response))
    app.journal().row(call).get_by_role("button", name="Прослухати запис").click()
    player = app.page.get_by_role("group", name="Програвач запису")
    expect(player.locator(".time").first).to_have_text("00:00:01")
    player.get_by_role("slider", name="Місце в записі").fill(str(LONG_SECONDS - 10))
    expect(player.locator(".time").first).to_have_text(re.compile("00:19:5[1-5]"))
    assert {response.status for response in media_responses} == {206}
    first_bytes = [
        int(response.headers["content-range"].removeprefix("bytes ").split("-")[0]) for response in media_responses
    ]
    assert max(first_bytes) > len(recording) / 2, "the skipped part was requested"
    player.get_by_role("button", name="Закрити").click()
    expect(player).to_have_count(0)
