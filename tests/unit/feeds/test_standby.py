"""Two processes hear one exchange: whatever one of them missed, what both say comes to what the other one says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from shared.contracts.calls.events import CallState
from shared.contracts.values import EndedBy
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator import Report, Translator
from tests.unit.feeds.exchange import CAPTURES, LOGIN, TENANT, TRUNKS, capture, events, row, rows
from tests.unit.feeds.living import Living
from tests.unit.feeds.script import Script
from tests.unit.feeds.test_asterisk import ALICE, BOB, OUTSIDE, start, talking
from tests.unit.feeds.test_more_captures import MORE

LATENCY, TENTH = timedelta(milliseconds=3), timedelta(milliseconds=100)
NAMES = sorted(path.stem for path in CAPTURES.glob("*.txt") if path.name.count(".") == 1 and "gap" not in path.name)
MORE_NAMES = sorted(path.stem for path in (MORE / "22").glob("*.txt") if "killed" not in path.name)


def bytes_of(event: Event) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in event.items()).encode() + b"\r\n"


def told_anew(living: Living) -> Iterator[Event]:
    """What a new connection hears: it is logged in, and these channels live."""
    yield from events(LOGIN)
    yield from list(AmiStream().feed(living.listed()))[1:]


def heard_but_for(happenings: list[Event], begin: int, end: int) -> list[Report]:
    """Without a connection from one event to another, and connected anew then."""
    translator, living, told, at = Translator(TENANT, TRUNKS), Living(), [], start()
    for number, event in enumerate(happenings):
        if number == end:
            told += [report for one in told_anew(living) for report in translator.feed(one, at + LATENCY)]
        living.hear(bytes_of(event))
        at = datetime.fromtimestamp(float(event["timestamp"]), UTC) if "timestamp" in event else at
        if not begin <= number < end:
            told += translator.feed(event, at + LATENCY)
    return told + translator.finish()


def heard_whole(happenings: list[Event]) -> list[Report]:
    return heard_but_for(happenings, len(happenings), len(happenings))


def by_id(reports: list[Report]) -> dict[str, Report]:
    return {report["report_id"]: report for report in reports}


def essence(call: CallState) -> tuple[object, ...]:
    """Of an answer the tenth of a second: behind Local channels its bridges are entered one after another."""
    who, end = (call.direction, call.caller, call.callee, call.line), (call.ended_by, call.cause, call.ended_at)
    wait = call.wait_time and round(call.wait_time / TENTH)
    return *who, call.status, call.placed_at, wait, *end, call.recorded


@pytest.mark.parametrize(("folder", "name"), [(CAPTURES, n) for n in NAMES] + [(MORE / "22", n) for n in MORE_NAMES])
def test_who_was_away_for_a_while_contradicts_nothing_of_who_heard_all(folder: Path, name: str):
    [recorded] = capture(name, folder)
    happenings, random = AmiStream().feed(recorded), Random(name)
    whole = heard_whole(happenings)
    for _ in range(5):
        begin = random.randrange(3, len(happenings))
        missed = heard_but_for(happenings, begin, random.randrange(begin, len(happenings)))
        same = by_id(whole).keys() & by_id(missed).keys()
        assert {key: by_id(missed)[key] for key in same} == {key: by_id(whole)[key] for key in same}
        together = list((by_id(whole) | by_id(missed)).values())
        assert list(map(essence, rows(together))) == list(map(essence, rows(whole)))


def test_an_end_that_was_not_heard_loses_against_the_one_that_was():
    happenings = [*talking().events, *talking().at(5).hangs_up(ALICE).gone(ALICE, BOB).events[-3:]]
    whole = heard_whole(happenings)
    translator, missed = Translator(TENANT, TRUNKS), []
    for event in talking().events:
        missed += translator.feed(event, start(2) + LATENCY)
    for event in [*events(LOGIN), {"event": "CoreShowChannelsComplete"}]:
        missed += translator.feed(event, start(60) + LATENCY)
    alone = row(missed + translator.finish())
    assert (alone.ended_by, start(60) <= alone.ended_at < start(61)) == (EndedBy.UNKNOWN, True)
    for told in (whole + missed, missed + whole):
        assert essence(row(by_id(told).values())) == essence(row(whole))


def test_what_only_a_list_tells_has_a_name_of_its_own():
    said = Script().calls(OUTSIDE).dials(OUTSIDE, BOB).rings(BOB).events
    living, translator = Living(), Translator(TENANT, TRUNKS)
    for event in said:
        living.hear(bytes_of(event))
    listed = [report for event in told_anew(living) for report in translator.feed(event, start(1))]
    assert [report["type"] for report in listed] == ["placed", "ringing"]
    assert by_id(listed).keys().isdisjoint(by_id(heard_whole(said)))
