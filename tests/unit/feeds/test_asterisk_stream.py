"""Bytes of the manager interface into events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.asterisk.stream import MAX_BLOCK_SIZE, AmiStream, Event
from tests.unit.feeds.exchange import capture

GREETING = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"
HANGUP = b"Event: Hangup\r\nUniqueid: pbx1-1795373819.14\r\nCause: 16\r\n\r\n"
[ANSWERED] = capture("01-answered-recorded")


def read(*chunks: bytes) -> list[Event]:
    stream = AmiStream()
    return [event for chunk in chunks for event in stream.feed(chunk)]


def test_a_block_is_an_event():
    assert read(HANGUP) == [{"event": "Hangup", "uniqueid": "pbx1-1795373819.14", "cause": "16"}]


def test_the_greeting_is_no_part_of_the_first_response():
    assert read(GREETING) == [{"response": "Success", "message": "Authentication accepted"}]


@pytest.mark.parametrize("version", [b"1.0", b"99.4.1", b"12.0-rc1 (certified)", b"?"])
def test_a_version_never_seen_is_read_like_any(version: bytes):
    [response, hangup] = read(GREETING.replace(b"11.0.0", version) + HANGUP)
    assert (response["message"], hangup["cause"]) == ("Authentication accepted", "16")


def test_a_block_that_the_lost_connection_left_unfinished_does_not_run_into_the_next_greeting():
    assert read(b"Event: Hangup\r\nUniqueid: pbx1-17953", GREETING) == read(GREETING)


def test_an_event_without_its_end_waits_and_is_not_guessed_at():
    assert read(HANGUP + b"Event: Hangup\r\nUniqueid: pbx1-17953738") == read(HANGUP)


@given(st.lists(st.integers(0, len(ANSWERED)), max_size=40))
def test_where_the_network_cuts_the_stream_changes_nothing(cuts):
    edges = [0, *sorted(cuts), len(ANSWERED)]
    assert read(*(ANSWERED[start:end] for start, end in pairwise(edges))) == read(ANSWERED)


def test_a_stream_that_comes_byte_by_byte_is_the_same():
    assert read(*(HANGUP[i : i + 1] for i in range(len(HANGUP)))) == read(HANGUP)


def test_keys_that_differ_in_case_are_one_key():
    assert read(b"Event: CEL\r\nUniqueID: 1.1\r\nLinkedID: 1.0\r\n\r\n") == [
        {"event": "CEL", "uniqueid": "1.1", "linkedid": "1.0"}
    ]


def test_of_a_key_said_twice_the_first_counts():
    [event] = read(b"Event: TestEvent\r\nState: CallIDChange\r\nState: Other\r\n\r\n")
    assert event["state"] == "CallIDChange"


def test_a_value_keeps_its_colons():
    [event] = read(b"Event: Status\r\nDuration: 00:00:03\r\n\r\n")
    assert event["duration"] == "00:00:03"


def test_a_line_without_a_colon_is_passed_over():
    assert read(b"Event: Hangup\r\nnonsense\r\nCause: 16\r\n\r\n") == [{"event": "Hangup", "cause": "16"}]


def test_blank_lines_between_events_are_no_events():
    assert read(b"\r\n\r\n" + HANGUP + b"\r\n\r\n\r\n" + HANGUP) == read(HANGUP, HANGUP)


def test_a_recording_with_bare_line_feeds_reads_the_same():
    assert read(ANSWERED.replace(b"\r\n", b"\n")) == read(ANSWERED)


def test_a_name_in_cp1251_is_read():
    [event] = read("Event: Newchannel\r\nCallerIDName: Иван Петров\r\n\r\n".encode("cp1251"))
    assert event["calleridname"] == "Иван Петров"


def test_a_name_cut_in_the_middle_of_a_letter_loses_that_letter_only():
    [event] = read("CallerIDName: Катерина".encode()[:-1] + b"\r\n\r\n")
    assert event["calleridname"] == "Катерин\ufffd"


def test_one_bad_line_does_not_spoil_its_neighbours():
    [event] = read("CallerIDName: Иван\r\n".encode("cp1251") + "ConnectedLineName: Ганна\r\n\r\n".encode())
    assert (event["calleridname"], event["connectedlinename"]) == ("Иван", "Ганна")


def test_what_never_ends_is_thrown_away():
    stream = AmiStream()
    stream.feed(b"x" * (MAX_BLOCK_SIZE + 1))
    assert stream.feed(b"\r\n\r\n" + HANGUP) == read(HANGUP)
