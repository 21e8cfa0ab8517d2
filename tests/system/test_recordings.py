"""The recording of a call, from the exchange that brings it to the people who hear it, through the one origin."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.service.recordings.media_client import wav, wav_of
from tests.support import compose
from tests.support.infrastructure import Stack, eventually
from tests.support.system import System
from tests.system.test_journal import inbound, report_call

SOUND = wav(1.5)


@pytest.fixture(scope="module")
def origin(request: pytest.FixtureRequest) -> str:
    """The edge, in front of gateway and recordings."""
    if compose.named():
        return compose.address()
    stack: Stack = request.getfixturevalue("stack")
    return stack.env("admin")["BASE_URL"]


@pytest.fixture
def call(system: System) -> str:
    """A call that 101 (Olha) answered; nobody else took part."""
    key, now = str(uuid4()), datetime.now(UTC) - timedelta(minutes=1)
    return report_call(system, inbound(key, now))


def bring(system: System, origin: str, call: str, file: Path, tenant: str = "acme") -> tuple[int, str]:
    """What curl is answered when it uploads as an exchange does."""
    key, url = system.keys[tenant], f"{origin}/api/v1/calls/{call}/recording"
    command = ["curl", "-sS", "-T", str(file), "-L", "-H", f"X-Api-Key: {key}", "-w", "\n%{http_code}", url]
    body, _, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.rpartition("\n")
    return int(status), body


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "дзвінок.wav"
    path.write_bytes(SOUND)
    return path


def fetch(system: System, origin: str, path: str, login: str, **how: Any) -> requests.Response:
    """Ask the gateway as somebody, and follow its link without their token."""
    answer = system.send("GET", path, login, url=f"{origin}/api/v1", allow_redirects=False)
    return (
        requests.get(f"{origin}{answer.headers['Location']}", timeout=10, **how)
        if answer.status_code == 307
        else answer
    )


def recording(system: System, call: str) -> Any:
    return system.entry(call, "admin")["recording"]


def test_what_the_exchange_brings_is_in_the_journal_within_a_second_and_is_heard(
    system: System, origin: str, call: str, file: Path
) -> None:
    assert bring(system, origin, call, file)[0] == 201
    expected = {"state": "available", "duration_seconds": "1.500", "format": "wav", "size": len(SOUND)}
    eventually(lambda: recording(system, call) == expected, seconds=1.0)
    found = system.get("/journal", "olha", has="recording").json()["entries"]
    assert call in [entry["call_id"] for entry in found]
    heard = fetch(system, origin, f"/calls/{call}/recording", "olha", headers={"Range": "bytes=44-143"})
    assert (heard.status_code, heard.content) == (206, SOUND[44:144])
    taken = fetch(system, origin, f"/calls/{call}/recording?download=1", "super")
    assert (taken.status_code, taken.content) == (200, SOUND)
    assert taken.headers["Content-Disposition"].startswith("attachment; ")
    peaks = system.get(f"/calls/{call}/recording/peaks", "olha").json()["peaks"]
    assert (len(peaks), 120 < max(peaks) < 135) == (400, True)


def test_who_listened_and_who_took_it_is_in_the_timeline_once(
    system: System, origin: str, call: str, file: Path
) -> None:
    bring(system, origin, call, file)
    eventually(lambda: recording(system, call)["state"] == "available")
    for _ in range(3):
        fetch(system, origin, f"/calls/{call}/recording", "olha", headers={"Range": "bytes=0-9"})
    fetch(system, origin, f"/calls/{call}/recording?download=1", "admin")
    events = system.get(f"/calls/{call}/timeline", "super").json()["events"]
    ours = [(one["type"], one["by"]) for one in events if one["owner"] == "recordings"]
    assert ours == [
        ("recording_stored", None),
        ("recording_listened", "Ольга Кобилянська"),
        ("recording_downloaded", "Адміністратор Ада"),
    ]


def test_an_operator_cannot_get_what_another_heard(system: System, origin: str, call: str, file: Path) -> None:
    bring(system, origin, call, file)
    eventually(lambda: recording(system, call)["state"] == "available")
    for path in ("recording", "recording?download=1", "recording/peaks"):
        assert fetch(system, origin, f"/calls/{call}/{path}", "petro").status_code == 404
        assert fetch(system, origin, f"/calls/{call}/{path}", "foreign").status_code == 404


def test_an_administrator_deletes_it_and_every_link_is_dead(system: System, origin: str, call: str, file: Path) -> None:
    bring(system, origin, call, file)
    eventually(lambda: recording(system, call)["state"] == "available")
    link = system.send("GET", f"/calls/{call}/recording", "olha", allow_redirects=False).headers["Location"]
    assert system.send("DELETE", f"/calls/{call}/recording", "olha").status_code == 403
    assert system.send("DELETE", f"/calls/{call}/recording", "super").status_code == 403
    assert system.send("DELETE", f"/calls/{call}/recording", "admin").status_code == 204
    assert recording(system, call)["state"] == "deleted"
    assert requests.get(f"{origin}{link}", timeout=10).status_code == 404
    assert system.get(f"/calls/{call}/recording", "olha").status_code == 404
    assert system.send("DELETE", f"/calls/{call}/recording", "admin").status_code == 404
    assert bring(system, origin, call, file)[0] == 409


def test_an_exchange_brings_the_sound_right_after_its_report(system: System, origin: str, file: Path) -> None:
    key, now = str(uuid4()), datetime.now(UTC)
    answer = system.report("acme", inbound(key, now))
    assert bring(system, origin, answer.json()["calls"][key], file)[0] == 201


def test_nobody_but_the_companys_exchange_brings_anything(system: System, origin: str, call: str, file: Path) -> None:
    assert bring(system, origin, call, file, tenant="other")[0] == 404
    assert system.send("PUT", f"/calls/{call}/recording", "admin", data=SOUND).status_code == 403
    assert recording(system, call)["state"] == "none"


@pytest.mark.parametrize("size", [100 * 1024, 40 * 1024 * 1024], ids=["small", "large"])
def test_a_file_that_is_sent_to_the_gateway_first_arrives_all_the_same(
    system: System, origin: str, call: str, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "long.wav"
    file.write_bytes(wav_of(bytes(size)))
    for url in (origin, system.url.removesuffix("/api/v1")):
        headers = {"X-Api-Key": system.keys["acme"]}
        command = ["curl", "-sS", "-T", str(file), "-H", "Expect:", "-w", "%{http_code} %{redirect_url}"]
        command += [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
        answer = subprocess.run(
            [*command, f"{url}/api/v1/calls/{call}/recording"], check=True, capture_output=True, text=True
        ).stdout
        assert answer.startswith("307 "), answer
    assert bring(system, origin, call, file)[0] == 201


def test_more_than_the_limit_is_refused_before_it_is_sent(
    system: System, origin: str, call: str, tmp_path: Path
) -> None:
    file = tmp_path / "endless.wav"
    with file.open("wb") as sparse:
        sparse.truncate(3 * 1024**3)
    began = datetime.now(UTC)
    assert bring(system, origin, call, file)[0] == 413
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_a_dead_recordings_service_costs_the_sound_and_not_the_journal(
    system: System, origin: str, call: str, file: Path
) -> None:
    bring(system, origin, call, file)
    eventually(lambda: recording(system, call)["state"] == "available")
    system.processes["recordings"].kill()
    try:
        assert fetch(system, origin, f"/calls/{call}/recording", "olha").status_code == 503
        assert recording(system, call)["state"] == "available"
        answer = system.get(f"/calls/{call}/timeline", "olha")
        assert (answer.status_code, answer.headers["Degraded"]) == (200, "recordings")
        peaks = system.get(f"/calls/{call}/recording/peaks", "olha")
        assert (peaks.json(), peaks.headers["Degraded"]) == ({"peaks": None}, "recordings")
        assert system.send("DELETE", f"/calls/{call}/recording", "admin").status_code == 503
    finally:
        system.restart("recordings")
    assert fetch(system, origin, f"/calls/{call}/recording", "olha").content == SOUND
