"""More calls of a real exchange, Asterisk 22 (with timestamps) and 16 (without): each comes to the same row by both."""

from pathlib import Path

import pytest

from tests.unit.feeds.exchange import capture, rows, shown, told

MORE = Path(__file__).parents[2] / "data" / "asterisk" / "more"
SECONDS = 6
"""The column that two recordings of one call do not share."""

TABLE = """
two-refuse                   | internal | 1001 -> 113                   | declined, declined | rung 1007               | by -            | ended by callee |   |
unavailable-480              | internal | 1001 -> 110                   | unreachable        | rung -                  | by -            | ended by system |   |
busy-tone                    | internal | 1001 -> 625                   | declined, busy     | rung -                  | by -            | ended by callee |   |
redial                       | internal | 1001 -> 102                   | declined, busy     | rung -                  | by -            | ended by callee |   |
redial                       | internal | 1001 -> 102                   | declined, busy     | rung -                  | by -            | ended by callee |   |
redial                       | internal | 1001 -> 101                   | answered           | rung 1002               | by 1002         | ended by caller |   | recorded
hangup-cause                 | internal | 1001 -> 9017                  | declined, busy     | rung -                  | by -            | ended by system |   |
hangup-cause                 | internal | 1001 -> 9034                  | no_channels        | rung -                  | by -            | ended by system |   |
hangup-cause                 | internal | 1001 -> 9001                  | unreachable        | rung -                  | by -            | ended by system |   |
group-with-an-offline-phone  | internal | 1001 -> 620                   | no_answer          | rung 1004               | by -            | ended by system |   |
group-with-a-mobile          | internal | 1001 -> 627                   | answered           | rung 1004, 380501112233 | by 380501112233 | ended by caller |   |
pickup                       | internal | 1001 -> 111                   | answered           | rung 1004               | by 1009         | ended by caller |   |
parked                       | internal | 1001 -> 623                   | answered           | rung -                  | by 1009         | ended by callee |   |
conference                   | internal | 1001 -> 500                   | answered           | rung -                  | by 1009         | ended by caller |   |
conference                   | internal | 1009 -> 500                   | answered           | rung -                  | by 1001         | ended by caller |   |
conference-alone             | internal | 1001 -> 500                   | cancelled          | rung -                  | by -            | ended by caller |   |
menu                         | internal | 1001 -> 300                   | answered           | rung 1002               | by 1002         | ended by caller |   |
menu-hangup                  | internal | 1001 -> 300                   | cancelled          | rung -                  | by -            | ended by caller |   |
attended-transfer-by-caller  | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002, 1004   | ended by callee |   | recorded
attended-transfer-by-caller  | internal | 1001 -> 103                   | answered           | rung 1004               | by 1004         | ended by system |   |
attended-transfer-by-callee  | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002, 1004   | ended by caller |   | recorded
attended-transfer-by-callee  | internal | 1002 -> 103                   | answered           | rung 1004               | by 1004         | ended by system |   |
attended-transfer-by-digits  | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002, 1004   | ended by callee |   | recorded
transfer-called-off          | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002         | ended by callee |   | recorded
blind-transfer-to-a-phone    | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002, 1004   | ended by callee |   | recorded
blind-transfer-by-callee     | internal | 1001 -> 101                   | answered           | rung 1002, 1004         | by 1002, 1004   | ended by callee |   | recorded
queue-of-locals              | internal | 1001 -> 626                   | answered           | rung 1002, 1004         | by 1002         | ended by caller |   | recorded
screened-by-the-callee       | internal | 1001 -> 622                   | answered           | rung 1002               | by 1002         | ended by caller |   |
survey-after-the-call        | internal | 1001 -> 621                   | answered           | rung 10010              | by 10010        | ended by callee |   |
long-h-extension             | internal | 1001 -> 628                   | answered           | rung 10010              | by 10010        | ended by callee |   |
click-to-call-by-local       | internal | 1001 -> 101                   | answered           | rung 1002               | by 1002         | ended by caller |   | recorded
originate-not-taken          | internal | 1001 -> 101                   | no_answer          | rung 1001               | by -            | ended by system |   |
originate-refused            | internal | 1003 -> 101                   | cancelled          | rung -                  | by -            | ended by caller |   |
outside-number-called-first  | outbound | 200 -> 380501112233           | answered           | rung 1002, 1004         | by 1002         | ended by callee |   | recorded
outbound-answered            | outbound | 1001 -> 105                   | answered           | rung 79990000000        | by 79990000000  | ended by callee |   |
outbound-no-answer           | outbound | 1001 -> 105                   | cancelled          | rung 79990000000        | by -            | ended by caller |   |
inbound-queue-abandoned      | inbound  | +380501112233 -> 84951234567  | missed             | rung 1002, 1004         | by -            | ended by caller |   |
inbound-queue-timeout        | inbound  | +380501112233 -> 84951234567  | missed             | rung 1002, 1004         | by -            | ended by system |   |
inbound-to-a-mobile          | inbound  | +380501112233 -> 84950000001  | answered           | rung 380671112233       | by 380671112233 | ended by caller |   |
inbound-busy                 | inbound  | +380501112233 -> 84950000002  | missed             | rung -                  | by -            | ended by callee |   |
inbound-offline              | inbound  | -> 84950000003                | missed_offline     | rung -                  | by -            | ended by system |   |
killed                       | internal | 1001 -> 101                   | network_error      | rung 1002               | by 1002         | ended by system |   |
killed                       | internal | 1009 -> 111                   | unknown_error      | rung 1004               | by -            | ended by system |   |
killed                       | internal | 1001 -> 102                   | declined, busy     | rung -                  | by -            | ended by callee |   |
"""  # noqa: E501
EXPECTED: dict[str, list[list[str]]] = {}
for line in TABLE.strip().splitlines():
    name, *cells = (cell.strip() for cell in line.split("|"))
    EXPECTED.setdefault(name, []).append(cells)


RECORDED = [(name, version) for version in ("16", "22") for name in EXPECTED if capture(name, MORE / version)]


def test_every_row_of_the_table_was_recorded() -> None:
    assert {name for name, _ in RECORDED} == set(EXPECTED)


@pytest.mark.parametrize(("name", "version"), RECORDED)
def test_a_capture_comes_to_its_rows_of_the_table(name, version):
    recorded = capture(name, MORE / version)
    assert sorted(map(without_seconds, rows(told(recorded)))) == sorted(EXPECTED[name])


@pytest.mark.parametrize(("name", "version"), [one for one in RECORDED if "inbound" in one[0] or "out" in one[0]])
def test_where_no_line_is_named_a_capture_comes_to_the_same_row(name, version):
    recorded = capture(name, MORE / version)
    assert list(map(shown, rows(told(recorded, trunks=[])))) == list(map(shown, rows(told(recorded))))


def without_seconds(call) -> list[str]:
    cells = [cell.strip() for cell in shown(call)]
    return [*cells[:SECONDS], "", *cells[SECONDS + 1 :]]


def test_the_row_of_a_consultation_ends_when_its_parties_are_put_through():
    main, consultation = rows(told(capture("attended-transfer-by-callee", MORE / "22")))
    assert main.placed_at < consultation.placed_at < consultation.ended_at < main.ended_at


def test_the_recording_of_a_killed_exchange_is_empty_and_not_told():
    assert [call.recorded for call in rows(told(capture("killed", MORE / "22")))] == [False, False, False]


def test_a_person_who_must_confirm_first_answers_when_connected():
    call, *_ = rows(told(capture("screened-by-the-callee", MORE / "22")))
    assert 2 < call.wait_time.total_seconds() < 3
