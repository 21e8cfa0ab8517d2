"""Rows of Master.csv come to the calls that the events of the same exchange come to, as far as rows tell."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.feeds.asterisk.cdr_call import Exchange, translate
from shared.feeds.asterisk.cdr_csv import (
    COLUMNS,
    MAX_CALL_SPAN,
    MAX_ROW_DISTANCE,
    CallGrouper,
    Columns,
    InvalidRecord,
    Row,
)
from tests.unit.feeds.exchange import CAPTURES, TENANT, TRUNKS, capture, row, rows, shown, told

MASTER = Path(__file__).parents[2] / "data/asterisk/Master.csv"
PHONES = {"alice": "1001", "bob": "1002", "dave": "1004", "grace": "1007", "bob2": "10010", "101": "1002"}
EXCHANGE = Exchange(tenant=TENANT, trunks=frozenset(TRUNKS), phones=PHONES)
LAST = 999_999
"""Of a second, microseconds."""
START = "2026-11-22 18:57:31"
BARE = dict.fromkeys(COLUMNS, "") | {
    "src": "1001", "dst": "101", "clid": '"Аліса" <1001>', "channel": "PJSIP/alice-1", "dstchannel": "PJSIP/bob-2",
    "lastapp": "Dial", "lastdata": "PJSIP/bob,20", "start": START, "answer": "2026-11-22 18:57:33",
    "end": "2026-11-22 18:57:41", "duration": "10", "billsec": "8", "disposition": "ANSWERED",
    "uniqueid": "pbx1-1795373851.42",
}  # fmt: skip


def read(**changed: str) -> Row:
    return Columns().read(list((BARE | changed).values()))


def gathered(read_: list[Row], gathering: CallGrouper | None = None) -> list[tuple[str, list[Row]]]:
    gathering = gathering or CallGrouper()
    calls = [call for n, one in enumerate(read_) for call in gathering.feed(one, n)] + list(gathering.finish())
    return [(key, rows) for key, rows, _ in calls]


def of(*read_: Row, exchange: Exchange = EXCHANGE) -> list[dict]:
    return [report for key, call in gathered(list(read_)) for report in translate(key, call, exchange)]


def master() -> list[Row]:
    with MASTER.open(newline="", encoding="utf-8") as file:
        return [Columns().read(fields) for fields in csv.reader(file)]


IMPORTED = {key: translate(key, call, EXCHANGE) for key, call in gathered(master())}
HEARD = {}
CAPTURED = sorted(path.stem for path in CAPTURES.glob("*.txt") if path.name.count(".") == 1)
for _name in CAPTURED:
    for _report in told(capture(_name)):
        HEARD.setdefault(_report["call"], []).append(_report)
BOTH = sorted(HEARD.keys() & IMPORTED.keys())


NO_LINES = Exchange(tenant=TENANT, phones=PHONES)
IMPORTED_WITHOUT_LINES = {key: translate(key, call, NO_LINES) for key, call in gathered(master())}
HEARD_WITHOUT_LINES: dict[str, list[dict]] = {}
for _name in CAPTURED:
    for _report in told(capture(_name), trunks=[]):
        HEARD_WITHOUT_LINES.setdefault(_report["call"], []).append(_report)

TRANSFERRED = "pbx1-1795374248.0"
"""A record ends with the caller's part: how long the others went on talking is in no row of the call."""
LINE_WITHOUT_NUMBER = "pbx1-1795373840.28"
"""A line that is dialled without a number looks like a phone to who does not know its name."""
CLICKED = "pbx1-1795373914.92"
"""The exchange rang the caller first: the record has that answer only."""


def test_all_rows_are_read_and_all_calls_were_heard_too():
    assert (len(master()), len(IMPORTED), len(BOTH)) == (34, 24, 24)


@pytest.mark.parametrize("key", BOTH)
def test_the_same_call_by_either_road_is_the_same_row(key):
    imported, heard = row(IMPORTED[key]), row(HEARD[key])
    assert shown(imported)[:5] == shown(heard)[:5]
    assert imported.ended_by in (heard.ended_by, "unknown")
    assert (imported.line, imported.offline, imported.groups) == (heard.line, heard.offline, heard.groups)
    assert abs(imported.placed_at - heard.placed_at) <= timedelta(seconds=1)
    assert abs(imported.ended_at - heard.ended_at) <= timedelta(seconds=1) or key == TRANSFERRED
    assert (imported.talk_time is None) == (heard.talk_time is None)
    if heard.talk_time and key != TRANSFERRED:
        assert abs(imported.talk_time - heard.talk_time) <= timedelta(seconds=2)


@pytest.mark.parametrize("key", BOTH)
def test_where_no_line_is_named_the_same_call_by_either_road_is_the_same_row_all_the_same(key):
    imported, heard = row(IMPORTED_WITHOUT_LINES[key]), row(HEARD_WITHOUT_LINES[key])
    assert shown(imported)[:5] == shown(heard)[:5]
    if key != LINE_WITHOUT_NUMBER:
        assert imported.direction == row(HEARD[key]).direction


@pytest.mark.parametrize("key", sorted({*BOTH} - {TRANSFERRED, CLICKED}))
def test_records_of_a_call_that_was_heard_live_change_nothing(key):
    assert row(IMPORTED[key] + HEARD[key]) == row(HEARD[key])


def test_an_end_that_nobody_heard_is_told_by_the_record():
    [said] = capture("01-answered-recorded")
    missed = said[: said.index(b"Event: HangupRequest")]
    again = b"Response: Success\nMessage: Authentication accepted\n\n"
    later = f"Event: CoreShowChannelsComplete\nTimestamp: {1795373819 + 3600}\n\n".encode()
    half, key = told([missed, again + later]), "pbx1-1795373819.14"
    assert (row(half).ended_by, row(half).talk_time > timedelta(minutes=59)) == ("unknown", True)
    assert abs(row(half + IMPORTED[key]).ended_at - row(HEARD[key]).ended_at) <= timedelta(seconds=1)


def test_a_call_from_a_line_that_dials_no_number_is_for_the_line():
    from_line = read(src="+380501112233", dst="s", clid="", channel="PJSIP/operator1-00000001", lastdata="PJSIP/101,20")
    call = row(of(from_line))
    assert (call.direction, call.caller, call.callee) == ("inbound", "+380501112233", "operator1")
    assert (call.line, call.groups) == ("operator1", ["operator1"])


def test_a_number_may_be_dialled_as_an_address():
    by_uri = read(dstchannel="PJSIP/operator1-3", lastdata="PJSIP/operator1/sip:0671112233@203.0.113.1:5060,20")
    assert row(of(by_uri)).answered_by == ["0671112233"]


def test_of_several_phones_that_were_dialled_the_one_that_was_reached_tells_the_number():
    group = read(dstchannel="PJSIP/operator1-3", lastdata="PJSIP/bob&PJSIP/0671112233@operator1,20")
    for exchange in (EXCHANGE, NO_LINES):
        assert row(of(group, exchange=exchange)).answered_by == ["0671112233"]


def test_reports_are_named_for_what_they_say():
    assert of(read()) == of(read())
    assert {one["report_id"] for one in of(read())}.isdisjoint(one["report_id"] for one in of(read(dst="102")))


def test_the_zone_is_told_by_the_epoch_in_the_uniqueid():
    assert row(of(read(start="2026-11-22 20:57:31", answer="", end="2026-11-22 20:57:41"))).placed_at == datetime(
        2026, 11, 22, 18, 57, 31, LAST, tzinfo=UTC
    )


def test_without_an_epoch_the_zone_is_what_the_owner_says():
    kyiv = Exchange(tenant=TENANT, zone=ZoneInfo("Europe/Kyiv"))
    assert row(of(read(uniqueid=""), exchange=kyiv)).placed_at == datetime(2026, 11, 22, 16, 57, 31, LAST, tzinfo=UTC)


def test_a_call_of_26_hours_is_26_hours():
    call = row(of(read(end="2026-11-23 20:57:33")))
    assert call.talk_time == timedelta(hours=26)


@pytest.mark.parametrize("name", ['Ко""т', "Рядок\nдругий", "cp1251"])
def test_a_name_may_have_anything_in_it(name):
    [placed] = [one for one in of(read(clid=f'"{name}" <1001>')) if one["type"] == "placed"]
    assert placed["data"]["caller_name"] == name.replace('""', '"').replace("\n", " ")


@pytest.mark.parametrize(
    ("changed", "of_what"),
    [
        ({"start": "ANSWERED", "disposition": START}, "disposition"),
        ({"start": "10", "duration": START}, "start"),
        ({"start": ""}, "start: is empty"),
        ({"start": "2026-13-01 00:00:00"}, "start"),
        ({"answer": "2026-11-22 18:57:41", "end": "2026-11-22 18:57:33"}, "start, answer, end"),
        ({"src": "101", "dst": "1001"}, "src, dst"),
        ({"channel": "from-internal", "dcontext": "PJSIP/alice-1"}, "channel"),
        ({"end": "", "duration": "Dial"}, "duration"),
        ({"start": "0001-01-01 00:00:00"}, "start: '0001-01-01 00:00:00' is not a time of a call"),
        ({"end": "9999-12-31 23:59:59"}, "end: '9999-12-31 23:59:59' is not a time of a call"),
    ],
)
def test_swapped_columns_are_said(changed, of_what):
    with pytest.raises(InvalidRecord, match=of_what):
        read(**changed)


def test_a_row_that_is_too_short_is_said():
    with pytest.raises(InvalidRecord, match="3 columns"):
        Columns().read(["", "1001", "101"])


def test_a_head_says_which_column_is_where():
    names = [name for name in reversed(COLUMNS) if name != "end"]
    columns = Columns.from_header(["calldate" if name == "start" else name for name in names])
    assert columns.read([BARE[name] for name in names]) == read()
    assert Columns.from_header(list(BARE.values())) is None
    with pytest.raises(InvalidRecord, match="no column src"):
        Columns.from_header([name for name in COLUMNS if name != "src"])


@pytest.mark.parametrize(
    ("disposition", "billsec", "answer"),
    [("ANSWERED", "8", "2026-11-22 18:57:33"), ("ANSWERED", "0", "2026-11-22 18:57:41"), ("NO ANSWER", "0", "")],
)
def test_a_table_without_the_answer_tells_it_by_how_long_was_talked(disposition, billsec, answer):
    row_ = BARE | {"disposition": disposition, "billsec": billsec}
    names = [name for name in COLUMNS if name not in ("answer", "end")]
    columns = Columns.from_header(["calldate" if name == "start" else name for name in names])
    assert columns.read([row_[name] for name in names]) == read(disposition=disposition, answer=answer)
    with pytest.raises(InvalidRecord, match="billsec: 'x' is not a number"):
        columns.read([(BARE | {"billsec": "x"})[name] for name in names])
    with pytest.raises(InvalidRecord, match="no column answer or billsec, end or duration"):
        Columns.from_header([name for name in names if name not in ("billsec", "duration")])


def test_rows_of_a_call_are_gathered_though_others_stand_between():
    many = [read(uniqueid=f"17953738{n % 50:02}.1", lastdata=f"PJSIP/bob,{n}") for n in range(100)]
    assert [len(call) for _, call in gathered(many)] == [2] * 50


def test_gathering_keeps_few_rows_however_many_come():
    gathering = CallGrouper()
    for n in range(3 * (MAX_ROW_DISTANCE + MAX_CALL_SPAN)):
        list(gathering.feed(read(uniqueid=f"{1795373800 + n}.1"), n))
    assert len(list(gathering.finish())) <= MAX_ROW_DISTANCE
    assert len(gathering.done) <= MAX_CALL_SPAN + MAX_ROW_DISTANCE + 1


@pytest.mark.parametrize("broken_off", [1, 499, 500, 777, 1500])
def test_a_break_and_a_new_beginning_give_the_same_calls(broken_off):
    file = [read(uniqueid=f"1795{n // 3 if n % 3 else n:06}.1", lastdata=f"PJSIP/bob,{n}") for n in range(2000)]
    whole = dict(gathered(file))
    first = CallGrouper()
    before = [call for n, one in enumerate(file[:broken_off]) for call in first.feed(one, n)]
    again, since = CallGrouper(first.done), first.resume_place(broken_off)
    after = [call for n in range(since, len(file)) for call in again.feed(file[n], n)] + list(again.finish())
    assert {call.key for call in before}.isdisjoint(call.key for call in after)
    assert {call.key: call.rows for call in before + after} == whole
    assert all(file[call.place] == call.rows[0] for call in before + after)
    assert rows(of(*file[:3]))
