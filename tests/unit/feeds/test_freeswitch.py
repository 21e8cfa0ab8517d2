"""What FreeSWITCH's detail records come to in the journal."""

import json
from itertools import permutations

import pytest

from shared.feeds.freeswitch.translator import InvalidRecord, read, translate
from tests.unit.feeds.exchange import row as row_of
from tests.unit.feeds.switch import BEGAN, TENANT, A, B, C, dressed, json_of, leg, profile, times, xml_of

OUTSIDE, OURS = "+380501234567", "+380443303018"
ALICE = profile("101", "102", A)
BOB = profile("101", "102", B, chan_name="sofia/internal/102@10.0.0.2:5060")
CAROL = profile("101", "103", C, chan_name="sofia/internal/103@10.0.0.3:5060")
FROM_OUTSIDE = profile(OUTSIDE, OURS, A, context="public", caller_id_name="Катерина Власова")
TO_BOB = ("bridge", "user/102@pbx")


def reports(*records: dict) -> list[dict]:
    return [report for record in records for report in translate(read(json_of(record)), TENANT)]


def shown(*records: dict) -> list[str]:
    call = row_of(reports(*records))
    return [
        str(call.direction),
        f"{call.caller} -> {call.callee}",
        ", ".join(filter(None, [call.status, call.reason])),
        f"rung {', '.join(sorted(call.rung)) or '-'}",
        f"by {', '.join(call.answered_by) or '-'}",
        f"ended by {call.ended_by}",
        "-" if call.talk_time is None else f"{call.talk_time.total_seconds():.1f} s",
    ]


def inside(**how) -> dict:
    """101 calls 102; `user_name` is what a phone that has signed in brings."""
    how = {"called": [BOB], "applications": [TO_BOB], "bridge_uuid": B, **how}
    return leg(ALICE, user_name="101", **how)


def called(**how) -> dict:
    return leg(BOB, direction="outbound", caller=ALICE, dialed_user="102", **how)


ANSWERED = ["internal", "101 -> 102", "answered", "rung 102", "by 102", "ended by caller", "15.0 s"]


def unanswered(cause: str, own: str | None = None, **how) -> dict:
    """As a dialplan without an answer after the bridge leaves it."""
    told = {"originate_disposition": cause, "by": "send_refuse", "bridge_uuid": "", "bridged": None, "rang": None}
    return inside(**{"cause": own or cause, **told, **how})


def test_a_call_that_was_answered():
    assert shown(inside(), called(by="send_bye")) == ANSWERED
    assert row_of(reports(inside())).placed_at == BEGAN


def test_each_leg_alone_and_both_in_any_order_make_one_row():
    a, b = inside(), called(by="send_bye")
    assert shown(a) == shown(a, b) == shown(b, a) == shown(a, b, a) == ANSWERED


def test_who_was_called_hung_up():
    record = inside(by="send_bye", last_bridge_hangup_cause="NORMAL_CLEARING")
    assert shown(record)[5] == "ended by callee"


@pytest.mark.parametrize(
    ("record", "status", "by"),
    [
        (unanswered("USER_BUSY", sip_invite_failure_status="486"), "declined, busy", "callee"),
        (unanswered("CALL_REJECTED"), "declined, declined", "callee"),
        (unanswered("NO_ANSWER", rang=1.5), "no_answer", "system"),
        (unanswered("ORIGINATOR_CANCEL", by="recv_cancel", rang=1.5), "cancelled", "caller"),
        (unanswered("USER_NOT_REGISTERED"), "unreachable", "system"),
        (unanswered("NO_USER_RESPONSE"), "unreachable", "system"),
        (unanswered("UNALLOCATED_NUMBER"), "unreachable", "system"),
        (unanswered("NORMAL_CIRCUIT_CONGESTION", sip_invite_failure_status="503"), "no_channels", "system"),
        (unanswered("NO_ANSWER", "NORMAL_CLEARING", rang=1.5, answered=9.0, by="send_bye"), "no_answer", "system"),
        (inside(cause="RECOVERY_ON_TIMER_EXPIRE", by="send_bye"), "network_error", "system"),
        (inside(cause="MEDIA_TIMEOUT", by="send_bye"), "network_error", "system"),
        (inside(cause="ALLOTTED_TIMEOUT", by="send_bye"), "answered", "system"),
    ],
)
def test_how_a_call_ended_is_told_by_its_cause(record, status, by):
    assert (shown(record)[2], shown(record)[5]) == (status, f"ended by {by}")


def test_the_own_causes_of_the_exchange_are_causes_of_the_network():
    [ended] = [report for report in reports(unanswered("USER_NOT_REGISTERED")) if report["type"] == "ended"]
    assert ended["data"]["cause"] == 20


def test_a_fork_is_one_call_and_who_was_busy_did_not_ring():
    record = inside(
        called=[BOB, CAROL],
        applications=[("bridge", "{ignore_early_media=true}user/102@pbx,user/103@pbx")],
        originate_causes=f"ARRAY::{B};NONE|:{C};USER_BUSY",
    )
    assert shown(record)[3:5] == ["rung 102", "by 102"]
    lost = leg(CAROL, "LOSE_RACE", direction="outbound", caller=ALICE, dialed_user="103", rang=2.0, bridged=None)
    assert shown(record, lost)[3:5] == ["rung 102, 103", "by 102"]


def test_a_call_from_outside_bears_its_name_and_the_number_that_was_dialled():
    record = leg(FROM_OUTSIDE, called=[BOB], applications=[TO_BOB], bridge_uuid=B)
    assert shown(record)[:3] == ["inbound", f"{OUTSIDE} -> {OURS}", "answered"]
    call = row_of(reports(record))
    assert (call.caller_name, call.line, call.groups) == ("Катерина Власова", OURS, [OURS])


def test_a_call_from_outside_that_nobody_took_is_missed():
    how = {"originate_disposition": "NO_ANSWER", "bridged": None, "called": [BOB], "applications": [TO_BOB]}
    assert shown(leg(FROM_OUTSIDE, "NO_ANSWER", by="send_refuse", **how))[2] == "missed"


def test_a_call_from_outside_to_a_phone_that_is_off_is_missed_offline():
    how = {"originate_disposition": "USER_NOT_REGISTERED", "bridged": None, "rang": None, "applications": [TO_BOB]}
    call = row_of(reports(leg(FROM_OUTSIDE, "USER_NOT_REGISTERED", by="send_refuse", **how)))
    assert (call.status, call.offline) == ("missed_offline", ["102"])


def test_a_call_to_the_outside_goes_through_its_gateway():
    dialled = profile("101", "0501234567", A)
    there = profile("101", "380501234567", B, chan_name="sofia/external/380501234567")
    to = ("bridge", "{origination_caller_id_number=x}sofia/gateway/provider/380501234567")
    record = leg(dialled, user_name="101", called=[there], applications=[to], bridge_uuid=B)
    assert shown(record)[:2] == ["outbound", "101 -> 0501234567"]
    assert row_of(reports(record)).line == "provider"
    shows = leg(dialled, user_name="101", called=[there], applications=[to], effective_caller_id_number=OURS)
    assert row_of(reports(shows)).line == OURS


def test_a_call_from_outside_sent_on_to_a_mobile_has_a_second_leg():
    there = profile(OUTSIDE, "380671112233", B, chan_name="sofia/external/380671112233")
    to = ("bridge", "sofia/gateway/provider/380671112233")
    a = leg(FROM_OUTSIDE, called=[there], applications=[to], bridge_uuid=B)
    b = leg(there, direction="outbound", caller=FROM_OUTSIDE, sip_gateway_name="provider")
    for records in ([a], [b, a]):
        assert next(one["data"] for one in reports(*records) if one["type"] == "forwarded") == {
            "to": "380671112233",
            "line": "provider",
        }
    assert len(row_of(reports(a, b)).forwarded) == 1


QUEUED = {"cc_side": "member", "cc_queue": "support@pbx", "cc_queue_joined_epoch": "1795341602"}


def test_in_a_queue_the_answer_is_the_agents_and_not_the_queues():
    a = leg(
        FROM_OUTSIDE, rang=None, answered=0.5, bridged=7.0, applications=[("callcenter", "support@pbx")], **QUEUED,
        cc_agent="102@pbx", cc_agent_bridged="true", cc_queue_answered_epoch="1795341607",
    )  # fmt: skip
    agent = leg(
        profile(OUTSIDE, "102", B), direction="outbound", cc_side="agent", cc_member_session_uuid=A, dialed_user="102",
        rang=3.0, bridged=7.0, by="send_bye",
    )  # fmt: skip
    expected = ["inbound", f"{OUTSIDE} -> {OURS}", "answered", "rung 102", "by 102", "ended by caller", "13.0 s"]
    assert shown(a, agent) == shown(agent, a) == expected
    assert row_of(reports(a, agent)).groups == ["support"]


def test_who_leaves_a_queue_unserved_was_missed():
    how = {"rang": None, "answered": 0.5, "bridged": None, "applications": [("callcenter", "support@pbx")]}
    record = leg(FROM_OUTSIDE, **how, **QUEUED, cc_cause="cancel", cc_cancel_reason="BREAK_OUT")
    assert shown(record)[2:6] == ["missed", "rung -", "by -", "ended by caller"]


def test_a_call_that_was_transferred_was_answered_by_both():
    record = inside(bridge_uuid=C)
    again = profile("101", "103", A) | {"originatee": {"originatee_caller_profiles": [CAROL]}}
    record["callflow"].insert(0, {"caller_profile": again, "times": times(10.0, 12.0, ended=20.0, created=9.0)})
    record["app_log"]["applications"].append({"app_name": "bridge", "app_data": "user/103@pbx", "app_stamp": "0"})
    assert shown(record) == ["internal", "101 -> 102", "answered", "rung 102, 103", "by 102, 103", *ANSWERED[5:]]


def test_click_to_call_is_a_call_of_the_phone_that_was_rung_first():
    first = profile("0000000000", "101", A, caller_id_number="0000000000")
    record = leg(first, direction="outbound", called=[BOB], applications=[TO_BOB], bridge_uuid=B, answered=1.0)
    assert shown(record)[:2] == ["internal", "101 -> 102"]
    assert shown(record)[6] == "15.0 s"


def test_of_a_call_back_the_outside_number_is_the_callee_though_it_was_called_first():
    first = profile("101", "380501234567", A)
    how = {"called": [BOB], "applications": [TO_BOB], "bridge_uuid": B, "sip_gateway_name": "provider"}
    record = leg(first, direction="outbound", **how)
    assert shown(record)[:2] + shown(record)[5:6] == ["outbound", "102 -> 380501234567", "ended by callee"]


def test_a_recording_bears_its_name():
    for how in (
        {"applications": [("record_session", "/var/rec/a.wav"), TO_BOB]},
        {"record_path": "/var/rec", "record_name": "a.wav"},
        {"cc_record_filename": "/var/rec/a.wav"},
    ):
        [recorded] = [one["data"] for one in reports(inside(**how)) if one["type"] == "recorded"]
        assert recorded == {"file": "/var/rec/a.wav", "format": "wav"}


def test_an_exchange_that_does_not_tell_when_two_were_bridged_tells_when_the_caller_was_answered():
    record = inside()
    del record["callflow"][0]["times"]["bridged_time"], record["variables"]["bridge_uepoch"]
    record["variables"]["bridge_epoch"] = "0"
    assert shown(record) == ANSWERED


def test_an_old_exchange_has_one_callflow_and_seconds():
    record = inside()
    record["callflow"] = record["callflow"][0]
    record["variables"] = {k: v for k, v in record["variables"].items() if not k.endswith("_uepoch")}
    assert shown(record) == ANSWERED


@pytest.mark.parametrize("body", [json_of(inside()), json_of(inside(), encode_values=False), xml_of(inside())])
def test_the_same_record_in_any_dress_gives_the_same_reports(body):
    for sent in dressed(body).values():
        assert translate(read(sent), TENANT) == reports(inside())


def test_two_posts_of_a_record_are_the_same_reports():
    assert reports(inside()) == reports(inside())
    ids = [report["report_id"] for report in reports(inside(), called())]
    assert len(ids) == len(set(ids))


def test_names_in_any_letters_are_read():
    name = 'Їжак "Швидкий"\n'
    record = leg(profile(OUTSIDE, OURS, A, context="public", caller_id_name=name))
    sent = [json_of(record), xml_of(record), json.dumps(record, ensure_ascii=False).encode("cp1251")]
    for body in sent:
        assert translate(read(body), TENANT)[0]["data"]["caller_name"] == 'Їжак "Швидкий"'


def test_a_withheld_number_is_empty():
    record = leg(profile("anonymous", OURS, A, context="public"), called=[BOB], applications=[TO_BOB])
    assert row_of(reports(record)).caller == ""


@pytest.mark.parametrize(
    ("body", "of"),
    [
        (b"", "neither JSON nor XML"),
        (b"cdr=", "neither JSON nor XML"),
        (b"[1]", "neither JSON nor XML"),
        (json_of(inside())[:-40], "not JSON"),
        (b"{" * 100_000, "not JSON"),
        (xml_of(inside())[:-40], "not XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><cdr>&b;</cdr>', "declaration"),
        (b'{"variables": {"hangup_cause": "USER_BUSY"}}', "uuid"),
        (b'{"variables": {"uuid": "%s"}}' % (b"x" * 65), "64 characters"),
        (b'{"variables": {"uuid": "x"}}', "start time"),
        (b'{"variables": {"uuid": "x", "start_epoch": "1795341600"}}', "end time"),
        (b'{"variables": {"uuid": "x", "start_epoch": "99999999999999999"}}', "start time"),
        (b'{"variables": [], "callflow": {"caller_profile": 3}, "app_log": 4}', "uuid"),
    ],
)
def test_what_cannot_be_understood_is_said(body, of):
    with pytest.raises(InvalidRecord, match=of):
        translate(read(body), TENANT)


def test_a_leg_that_the_exchange_made_for_itself_is_nobodys():
    assert reports(leg(profile("101", "102", A, chan_name="loopback/102-a"))) == []


def test_three_legs_in_every_order_are_one_row():
    a = inside(called=[BOB, CAROL], applications=[("bridge", "user/102@pbx,user/103@pbx")])
    c = leg(CAROL, "LOSE_RACE", direction="outbound", caller=ALICE, dialed_user="103", rang=2.0, bridged=None)
    rows = {tuple(shown(*order)) for order in permutations([a, called(by="send_bye"), c])}
    assert len(rows) == 1
