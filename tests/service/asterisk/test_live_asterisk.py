"""From what an exchange says on its line to what people see and hear in the journal."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.service.asterisk.exchange import Exchange, Script, Start, broken_off, heard, words_of
from tests.service.recordings.media_client import wav
from tests.support.infrastructure import Stack, eventually
from tests.support.system import System
from tests.system.conftest import on_servers
from tests.unit.feeds.exchange import CAPTURES, capture

RECORDED = words_of((CAPTURES / "01-answered-recorded.all.txt").read_bytes()).replace(b"pbx1-", b"pbx2-")
NAMES = sorted(path.stem for path in CAPTURES.glob("*.txt") if path.name.count(".") == 1)
CALLS = 24
OWN = {"call_id", "price"}
"""What differs between two companies: ids made of the company's name, and the moment at which a price is due."""
PEOPLE = {"caller", "callee", "answered_by"}


@pytest.fixture(scope="module")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    yield from on_servers(stack, tmp_path_factory.mktemp("services"))


def entries(system: System, login: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = system.get("/journal", login, limit=100).json()["entries"]
    return found


def test_two_companies_journals_are_equal_though_ones_line_broke_and_its_process_was_killed(
    system: System, start: Start, tmp_path: Path
) -> None:
    """The same day at both: for one undisturbed, for the other broken off in every call."""
    random, connections = Random(5), [one for name in NAMES for one in capture(name)]
    parts = [broken_off(one, random.randrange(1000, len(one) - 500)) for one in connections]
    held = len(parts) // 2
    broken = [Script(words, hangs_up=n != 2 * held) for n, words in enumerate(chain(*parts))]
    whole = [Script(words_of(one), hangs_up=True) for one in connections]
    with Exchange(*whole).open() as one, Exchange(*broken).open() as other:
        start(one, "one", AMI_TENANT="acme")
        process = start(other, "other", AMI_TENANT="other")
        eventually(lambda: heard(tmp_path / "other").endswith(parts[held][0][-200:]), seconds=60)
        process.kill()
        start(other, "other", AMI_TENANT="other")
        eventually(lambda: not other.scripts and not one.scripts, seconds=60)
        eventually(lambda: len(seen(system, "foreign")) == len(seen(system, "admin")) == CALLS, seconds=30)
        eventually(lambda: all(entry["ended_at"] for entry in seen(system, "foreign")), seconds=30)
    assert seen(system, "foreign") == seen(system, "admin")


def seen(system: System, login: str) -> list[dict[str, Any]]:
    """What is in the journal, without the names that each company gives to numbers."""
    shown = [
        {key: value["address"] if key in PEOPLE and value else value for key, value in entry.items() if key not in OWN}
        for entry in entries(system, login)
    ]
    return sorted(shown, key=str)


def test_a_call_is_in_the_journal_with_the_sound_that_the_exchange_left(
    system: System, stack: Stack, start: Start, tmp_path: Path
) -> None:
    monitor = tmp_path / "monitor"
    monitor.mkdir()
    (monitor / "20261122-185659-1001-101-pbx2-1795373819.14.wav").write_bytes(wav(3.0))
    to = {"AMI_RECORDINGS": str(monitor), "BASE_URL": stack.env("admin")["BASE_URL"], "INGEST_KEY": system.keys["acme"]}
    with Exchange(Script(RECORDED)).open() as exchange:
        start(exchange, **to)
        [entry] = eventually(lambda: [one for one in entries(system, "admin") if one["recording"]["size"]], seconds=30)
    assert (entry["caller"]["address"], entry["callee"]["address"], entry["status"]) == ("1001", "101", "answered")
    assert entry["recording"]["duration_seconds"] == "3.000"
