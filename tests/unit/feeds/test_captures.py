"""The captures of a real exchange, and what the journal must show for each."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.values import Phase
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator import Translator, translate
from tests.unit.feeds.exchange import TENANT, TRUNKS, capture, heard, row, rows, shown, told, without_stamps

TABLE = """
01-answered-recorded         | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by caller | 3.0 s | recorded
01-answered-recorded.all     | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by caller | 3.0 s | recorded
02-answered-callee-hangs-up  | internal | 1001 -> 112                 | answered           | rung 10010      | by 10010 | ended by callee | 2.5 s |
03-busy-486                  | internal | 1001 -> 102                 | declined, busy     | rung -          | by -     | ended by callee | -     |
03-busy-486.all              | internal | 1001 -> 102                 | declined, busy     | rung -          | by -     | ended by callee | -     |
04-no-answer-timeout         | internal | 1001 -> 103                 | no_answer          | rung 1004       | by -     | ended by system | -     |
05-congestion-503            | outbound | 1001 -> 104                 | no_channels        | rung -          | by -     | ended by system | -     |
06-unallocated-404           | outbound | 1001 -> 105                 | unreachable        | rung -          | by -     | ended by system | -     |
07-declined-603              | internal | 1001 -> 106                 | declined, declined | rung 1007       | by -     | ended by callee | -     |
08-unregistered              | internal | 1001 -> 107                 | unreachable        | rung -          | by -     | ended by system | -     |
09-caller-cancels            | internal | 1001 -> 111                 | cancelled          | rung 1004       | by -     | ended by caller | -     |
10-forked-ring               | internal | 1001 -> 108                 | answered           | rung 1002, 1004 | by 1002  | ended by caller | 1.5 s |
11-forwarded-302             | internal | 1001 -> 109                 | answered           | rung 1002       | by 1002  | ended by caller | 1.5 s | recorded
13-queue-answered            | internal | 1001 -> 200                 | answered           | rung 1002, 1004 | by 1002  | ended by caller | 3.2 s | recorded
13-queue-answered.all        | internal | 1001 -> 200                 | answered           | rung 1002, 1004 | by 1002  | ended by caller | 3.2 s | recorded
14-queue-abandoned           | internal | 1001 -> 201                 | cancelled          | rung 1004       | by -     | ended by caller | -     |
16-hold                      | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by caller | 5.0 s | recorded
17-blind-transfer            | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by system | 4.5 s | recorded
19-click-to-call             | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by system | 3.0 s | recorded
25-five-at-once              | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by caller | 2.0 s | recorded
26-ami-gap                   | internal | 1001 -> 101                 | answered           | rung 1002       | by 1002  | ended by caller | 6.6 s | recorded
28-inbound-did-utf8-queue    | inbound  | +79161234567 -> 84951234567 | answered           | rung 1002, 1004 | by 1002  | ended by caller | 2.2 s | recorded
29-outbound-trunk-failover   | outbound | 1001 -> 79990000001         | answered           | rung 1002       | by 1002  | ended by caller | 2.0 s |
"""  # noqa: E501
EXPECTED = {
    name.strip(): [cell.strip() for cell in cells]
    for name, *cells in (line.split("|") for line in TABLE.strip().splitlines())
}
ONE_SECOND = timedelta(seconds=1)
CALLS_IN = {"25-five-at-once": 5}

each_capture = pytest.mark.parametrize("name", EXPECTED)


def read(connections: list[bytes]) -> list[Event]:
    return [event for connection in connections for event in AmiStream().feed(connection)]


@each_capture
def test_a_capture_comes_to_its_row_of_the_table(name):
    assert [shown(call) for call in rows(told(capture(name)))] == [EXPECTED[name]] * CALLS_IN.get(name, 1)


@each_capture
def test_without_timestamps_the_row_is_the_same_and_its_times_right_to_a_second(name):
    for exact, rough in zip(rows(told(capture(name))), rows(told(without_stamps(capture(name)))), strict=True):
        assert shown(rough)[:6] == shown(exact)[:6]
        assert abs(rough.placed_at - exact.placed_at) <= ONE_SECOND
        assert abs(rough.ended_at - exact.ended_at) <= ONE_SECOND
        if exact.answered_at:
            assert abs(rough.answered_at - exact.answered_at) <= ONE_SECOND


@each_capture
def test_events_heard_twice_change_no_report(name):
    twice = [event for event in read(capture(name)) for _ in range(2)]
    assert heard(twice) == told(capture(name))


@each_capture
def test_a_capture_played_again_says_nothing_new(name):
    translator = Translator(TENANT, TRUNKS)
    first = list(translate([[part] for part in capture(name)], translator))
    again = list(translate([[part] for part in capture(name)], translator))
    assert (bool(first), again) == (True, [])


@each_capture
def test_two_that_read_the_same_stream_say_the_same(name):
    assert told(capture(name)) == told(capture(name))


@each_capture
def test_a_report_id_is_used_for_one_report_only(name):
    ids = [report["report_id"] for report in told(capture(name))]
    assert len(ids) == len(set(ids))
    assert max(map(len, ids)) <= 128


@given(name=st.sampled_from(sorted(EXPECTED)), seed=st.integers(0))
def test_a_stream_cut_at_any_bytes_gives_the_same_reports(name, seed):
    assert list(translate(map(in_pieces(seed), capture(name)), Translator(TENANT, TRUNKS))) == told(capture(name))


def in_pieces(seed: int):
    random = Random(seed)

    def cut(stream: bytes) -> list[bytes]:
        edges = [0, *sorted(random.choices(range(len(stream)), k=20)), len(stream)]
        return [stream[start:end] for start, end in pairwise(edges)]

    return cut


@given(st.data())
def test_a_stream_that_breaks_off_says_nothing_that_the_rest_would_take_back(data):
    name = data.draw(st.sampled_from(sorted(EXPECTED)))
    [*before, last] = capture(name)
    end = data.draw(st.integers(0, len(last)))
    translator = Translator(TENANT, TRUNKS)
    told_so_far = [
        report
        for connection in [*before, last[:end]]
        for event in AmiStream().feed(connection)
        for report in translator.feed(event)
    ]
    assert [report for report in told_so_far if report not in told(capture(name))] == []


def test_five_calls_at_once_are_five_rows_that_know_their_own_times():
    talked = [call.talk_time for call in rows(told(capture("25-five-at-once")))]
    assert [round(time.total_seconds(), 1) for time in talked] == [2.0] * 5


def test_calls_that_interleave_do_not_mix():
    names = [
        "02-answered-callee-hangs-up",
        "03-busy-486",
        "09-caller-cancels",
        "11-forwarded-302",
        "14-queue-abandoned",
    ]
    streams = [read(capture(name)) for name in names]
    woven = [stream[i] for i in range(max(map(len, streams))) for stream in streams if i < len(stream)]
    assert sorted(map(shown, rows(heard(woven)))) == sorted(EXPECTED[name] for name in names)


def test_the_row_is_live_while_the_phone_rings():
    calls = rows(told(capture("26-ami-gap")[:1]))
    assert [(call.phase, call.callee, call.rung) for call in calls] == [(Phase.RINGING, "101", ["1002"])]


def test_an_answer_while_nobody_listened_is_known_to_a_second():
    [call] = rows(told(capture("26-ami-gap")))
    assert abs(call.answered_at - datetime(2026, 11, 22, 18, 59, 37, 500_000, UTC)) <= ONE_SECOND


def test_a_connection_that_missed_the_beginning_still_knows_the_call():
    call = row(told(capture("26-ami-gap")[1:]))
    assert shown(call) == ["internal", "1001 -> 101", "answered", "rung -", "by 1002", "ended by caller", "6.6 s", ""]


def test_two_connections_that_heard_different_halves_agree_with_the_one_that_heard_all():
    together = told(capture("26-ami-gap")[:1]) + told(capture("26-ami-gap")[1:])
    assert shown(row(together))[:6] == EXPECTED["26-ami-gap"][:6]


def test_an_unregistered_phone_is_offline():
    assert row(told(capture("08-unregistered"))).offline == ["nobody"]


def test_the_line_of_an_outbound_call_is_the_number_it_shows():
    assert row(told(capture("29-outbound-trunk-failover"))).line == "84951234567"


def test_the_line_of_an_inbound_call_is_the_number_that_was_dialled():
    call = row(told(capture("28-inbound-did-utf8-queue")))
    assert (call.line, call.caller_name, call.groups) == ("84951234567", "Иван Петров", ["support"])


def test_the_recording_bears_its_file_name_where_the_stream_tells_it():
    [recorded] = [report for report in told(capture("13-queue-answered.all")) if report["type"] == "recorded"]
    assert recorded["data"]["file"].endswith("/q-pbx1-1795373866.62.wav")
    assert recorded["data"]["format"] == "wav"


def test_a_recording_without_a_file_name_is_found_by_the_channel():
    [recorded] = [report for report in told(capture("13-queue-answered")) if report["type"] == "recorded"]
    assert recorded["data"]["file"] == "pbx1-1795373866.62"
