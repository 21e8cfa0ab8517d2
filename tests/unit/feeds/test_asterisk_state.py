"""A translator that was saved and loaded says exactly what it would have said."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator import Report, Translator
from shared.feeds.state_codec import UnreadableState
from tests.unit.feeds.exchange import CAPTURES, TENANT, TRUNKS, capture
from tests.unit.feeds.test_asterisk import BOB, talking
from tests.unit.feeds.test_more_captures import MORE

ALL = [
    pytest.param(folder, path.stem, id=f"{folder.name}/{path.stem}")
    for folder in (CAPTURES, MORE / "22", MORE / "16")
    for path in sorted(folder.glob("*.txt"))
    if not path.name.endswith(".part2.txt")
]
AT = datetime(2026, 11, 22, 19, 10, tzinfo=UTC)


def heard(folder: Path, name: str) -> list[tuple[Event, datetime]]:
    """The events, each with a moment of receipt."""
    events = [event for connection in capture(name, folder) for event in AmiStream().feed(connection)]
    return [(event, AT + number * timedelta(milliseconds=17)) for number, event in enumerate(events)]


def fresh() -> Translator:
    return Translator(TENANT, TRUNKS)


def reloaded(translator: Translator) -> Translator:
    another = fresh()
    another.load(json.loads(json.dumps(translator.dump())))
    return another


def told(translator: Translator, happenings: list[tuple[Event, datetime]]) -> list[Report]:
    return [report for event, at in happenings for report in translator.feed(event, at)]


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_a_translator_that_is_saved_and_loaded_after_each_event_says_the_same(folder: Path, name: str):
    whole, cut = fresh(), fresh()
    for event, at in heard(folder, name):
        cut = reloaded(cut)
        assert cut.feed(event, at) == whole.feed(event, at)
    assert reloaded(cut).finish() == whole.finish()


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_a_translator_that_is_saved_and_loaded_once_says_the_same_until_the_end(folder: Path, name: str):
    happenings, random = heard(folder, name), Random(name)
    whole = fresh()
    expected = told(whole, happenings) + whole.finish()
    for cut in [random.randrange(len(happenings)) for _ in range(5)]:
        before = fresh()
        first = told(before, happenings[:cut])
        after = reloaded(before)
        assert after.dump() == before.dump()
        assert first + told(after, happenings[cut:]) + after.finish() == expected


def test_what_an_event_that_could_not_be_translated_left_behind_is_saved_too():
    """The calls that it touched and the reports that were made before the error."""
    whole, happenings = fresh(), [(event, AT) for event in talking().at(9).hangs_up(BOB).events]
    told(whole, happenings[:-1])
    whole._exchange.mark_changed(whole._exchange.channels[happenings[-1][0]["uniqueid"]])
    whole._state.reports.append({"report_id": "made before"})
    cut = reloaded(whole)
    assert list(cut._exchange.changed.values()) == list(cut._exchange.calls.values())
    assert told(cut, happenings[-1:]) == told(whole, happenings[-1:]) == [{"report_id": "made before"}]
    assert cut.dump() == whole.dump()


def test_tenant_and_trunks_are_those_of_the_translator_that_loads():
    before = fresh()
    told(before, heard(CAPTURES, "13-queue-answered")[:40])
    after = Translator("another", ["another-line"])
    after.load(before.dump())
    [report, *_] = told(after, heard(CAPTURES, "13-queue-answered")[40:])
    assert (report["tenant"], after._dialing.is_trunk("another-line")) == ("another", True)


def test_a_state_that_cannot_be_read_changes_nothing():
    translator = fresh()
    told(translator, heard(CAPTURES, "13-queue-answered")[:40])
    before = translator.dump()
    with pytest.raises(UnreadableState):
        translator.load(before | {"clock": {}})
    assert translator.dump() == before


def mutations(value: Any) -> Iterator[Any]:
    """`value` with one thing in it, itself or another, replaced, removed or added."""
    yield from (None, True, -1, 10**20, 1.5, "x", [], {}, [[]], {"x": None})
    if isinstance(value, dict):
        yield value | {"unknown": 1}
        for key in value:
            yield {other: value[other] for other in value if other != key}
            yield from ({**value, key: changed} for changed in mutations(value[key]))
    if isinstance(value, list):
        for number in range(len(value)):
            yield value[:number] + value[number + 1 :]
            yield from ([*value[:number], changed, *value[number + 1 :]] for changed in mutations(value[number]))


def test_whatever_is_changed_in_a_state_it_is_read_or_said_to_be_unreadable():
    translator = fresh()
    told(translator, [(event, AT) for event in talking().events])
    translator._state.reports.append({"report_id": "x"})
    read = unreadable = 0
    for changed in mutations(translator.dump()):
        try:
            fresh().load(changed)
            read += 1
        except UnreadableState:
            unreadable += 1
    assert unreadable > 5 * read > 0
