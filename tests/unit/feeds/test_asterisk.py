"""What the events of an exchange mean, beyond what the captures happen to show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.values import EndedBy, Phase, Status
from shared.feeds.asterisk.translator import Translator
from tests.unit.feeds.exchange import TENANT, TRUNKS, events, heard, row, rows
from tests.unit.feeds.script import STARTED, Leg, Script

ALICE = Leg("PJSIP/alice-00000001", 1, 1, num="1001", exten="101", label="Alice Ivanova")
BOB = Leg("PJSIP/bob-00000002", 2, 1, num="1002")
CAROL = Leg("PJSIP/carol-00000003", 3, 1, num="1003")
ZOE = Leg("PJSIP/zoe-00000009", 9, 9, num="1009", exten="*8")
OUTSIDE = Leg("PJSIP/operator1-00000001", 1, 1, num="+380501112233", exten="380443303018")
MOBILE = Leg("PJSIP/frank-00000004", 4, 1, num="380443303018")


def start(seconds: float = 0) -> datetime:
    return datetime.fromtimestamp(STARTED, UTC) + timedelta(seconds=seconds)


def kinds(reports: list[dict]) -> list[str]:
    return [report["type"] for report in reports]


def talking() -> Script:
    return Script().calls(ALICE).dials(ALICE, BOB).rings(BOB).at(2).talk(ALICE, BOB)


# ── when a call is told ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_from_outside_is_told_with_its_first_event():
    [placed] = heard(Script().calls(OUTSIDE).events)
    assert placed["data"] == {
        "direction": "inbound",
        "caller": "+380501112233",
        "callee": "380443303018",
        "line": "380443303018",
    }


def test_a_call_from_a_line_that_dials_no_number_is_for_the_line():
    """An analogue line, or one without numbers of its own, comes to the extension s."""
    caller = replace(OUTSIDE, exten="")
    rung = Script().calls(caller).dials(caller, BOB, "bob").rings(BOB).at(9).dial_ends(caller, BOB, "NOANSWER")
    busy = Script().calls(caller).dials(caller, BOB, "bob").hangs_up(BOB, 17, 486).dial_ends(caller, BOB, "BUSY")
    menu = Script().calls(caller).up(caller).at(9).hangs_up(caller)
    for said in (rung.gone(BOB, cause=0), busy.gone(BOB, cause=17), menu):
        call = row(heard(said.gone(caller, cause=19).events))
        assert (call.direction, call.caller, call.callee) == ("inbound", "+380501112233", "operator1")
        assert (call.line, call.groups, call.status) == ("operator1", ["operator1"], Status.MISSED)


def test_a_call_from_inside_is_told_when_it_is_known_where_it_goes():
    assert kinds(heard(Script().calls(ALICE).events)) == []
    assert kinds(heard(Script().calls(ALICE).dials(ALICE, BOB).events)) == ["placed"]


def test_a_call_that_reached_nobody_is_told_with_its_end():
    call = row(heard(Script().calls(ALICE).at(1).gone(ALICE, cause=1).events))
    assert (call.callee, call.status, call.ended_by) == ("101", Status.UNREACHABLE, EndedBy.SYSTEM)


def test_a_report_is_json_in_utc_with_microseconds():
    [placed] = heard(Script().at(0.000123).calls(OUTSIDE).events)
    assert placed["at"] == "2026-11-22T18:56:40.000123+00:00"
    assert placed["tenant"] == TENANT


# ── where a call goes ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_to_an_outside_line_is_outbound():
    call = row(heard(Script().calls(ALICE).dials(ALICE, MOBILE, "380671112233@frank").events))
    assert (call.direction, call.line) == ("outbound", "frank")


def test_the_party_at_an_outside_line_is_the_number_that_was_dialled():
    call = row(heard(Script().calls(ALICE).dials(ALICE, MOBILE, "380671112233@frank").rings(MOBILE).events))
    assert call.rung == ["380671112233"]


def test_an_outside_line_may_be_named_with_its_technology():
    said = Script().calls(ALICE).dials(ALICE, MOBILE, "380671112233@frank").events
    assert row(heard(said, trunks=["PJSIP/frank"])).direction == "outbound"
    assert row(heard(said, trunks=["SIP/frank"])).direction == "internal"


def test_where_no_line_is_named_the_look_of_the_number_tells():
    said = Script().calls(ALICE).dials(ALICE, MOBILE, "380671112233@frank").events
    assert row(heard(said, trunks=[])).direction == "outbound"
    assert row(heard(Script().calls(ALICE).dials(ALICE, BOB, "bob").events, trunks=[])).direction == "internal"


def test_where_no_line_is_named_a_call_by_an_outside_number_is_inbound():
    queued = Script().calls(OUTSIDE).say("QueueCallerJoin", OUTSIDE.fields(), queue="support")
    queued.dials(OUTSIDE, BOB, "bob").rings(BOB).gone(BOB, cause=0)
    menu = Script().calls(OUTSIDE).up(OUTSIDE).at(9).hangs_up(OUTSIDE)
    busy = Script().calls(OUTSIDE).dials(OUTSIDE, BOB, "bob").hangs_up(BOB, 17, 486).gone(BOB, cause=17)
    mobile = Script().calls(OUTSIDE).dials(OUTSIDE, MOBILE, "380671112233@frank").gone(MOBILE, cause=19)
    for said in (queued, menu, busy, mobile):
        call = row(heard(said.gone(OUTSIDE).events, trunks=[]))
        assert (call.direction, call.caller, call.callee) == ("inbound", "+380501112233", "380443303018")
        assert (call.line, call.status) == ("380443303018", Status.MISSED)


@pytest.mark.parametrize("leg", [replace(OUTSIDE, name="PJSIP/101-1"), replace(OUTSIDE, num="1001", exten="102")])
def test_where_no_line_is_named_a_call_by_a_phone_is_inside_the_house(leg):
    inside = replace(leg, exten="102")
    assert row(heard(Script().calls(inside).dials(inside, BOB, "bob").events, trunks=[])).direction == "internal"


@pytest.mark.parametrize("string", ["0671112233@frank", "frank/380671112233", "frank/sip:380671112233@pbx.example"])
def test_where_no_line_is_named_a_phone_that_shows_the_companys_number_calls_out(string):
    caller = replace(ALICE, num="380443303018", exten="80671112233")
    call = row(heard(Script().calls(caller).dials(caller, MOBILE, string).events, trunks=[]))
    assert (call.direction, call.callee) == ("outbound", "80671112233")


def test_a_group_of_a_desk_and_a_mobile_phone_is_inside_the_house():
    said = Script().calls(ALICE).new(BOB).new(MOBILE).dials(ALICE, BOB).dials(ALICE, MOBILE, "380671112233@frank")
    assert row(heard(said.events)).direction == "internal"


def test_a_mobile_phone_that_takes_the_call_is_a_forwarded_leg():
    said = Script().calls(OUTSIDE).dials(OUTSIDE, MOBILE, "380671112233@frank").at(3).talk(OUTSIDE, MOBILE)
    [forward] = row(heard(said.events)).forwarded
    assert (forward.to, forward.line, forward.at) == ("380671112233", "frank", start(3))


@pytest.mark.parametrize(
    "string",
    [
        "380671112233@frank",
        "frank/380671112233",
        "frank/sip:380671112233@203.0.113.1:5060",
        "frank/sips:380671112233@203.0.113.1;transport=tls",
        "sip:380671112233@203.0.113.1",
        "frank/tel:380671112233",
        "PJSIP/frank/sip:380671112233@203.0.113.1",
    ],
)
def test_a_number_may_be_dialled_in_many_ways(string):
    said = Script().calls(OUTSIDE).dials(OUTSIDE, MOBILE, string).rings(MOBILE).at(3).talk(OUTSIDE, MOBILE)
    call = row(heard(said.events))
    assert (call.rung, call.answered_by, call.forwarded[0].to) == (["380671112233"], ["380671112233"], "380671112233")


def test_a_mobile_phone_that_only_rang_is_no_forwarded_leg():
    said = Script().calls(OUTSIDE).dials(OUTSIDE, BOB).dials(OUTSIDE, MOBILE, "380671112233@frank").rings(MOBILE)
    assert row(heard(said.talk(OUTSIDE, BOB).gone(MOBILE, cause=26).events)).forwarded == []


def test_the_number_that_an_outbound_call_was_for_is_no_forwarded_leg():
    said = Script().calls(ALICE).dials(ALICE, MOBILE, "380671112233@frank").talk(ALICE, MOBILE)
    assert row(heard(said.events)).forwarded == []


# ── who calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", ["", "<unknown>", "anonymous", "Restricted"])
def test_a_withheld_number_is_empty(number):
    assert row(heard(Script().calls(replace(OUTSIDE, num=number)).events)).caller == ""


def test_a_phone_that_shows_the_companys_number_is_known_by_its_extension():
    phone = Leg("PJSIP/101-00000001", 1, 1, num="380443303018", exten="102")
    call = row(heard(Script().calls(phone).dials(phone, BOB).events))
    assert call.caller == "101"


def test_a_phone_without_a_number_is_known_by_its_endpoint_even_if_the_exchange_lends_it_the_number_of_the_group():
    phone = Leg("PJSIP/102-00000002", 2, 1)
    lent = replace(phone, num="600")
    said = Script().calls(ALICE).new(phone).say("DialBegin", ALICE.fields(), lent.fields("dest")).rings(lent)
    assert row(heard(said.events)).rung == ["102"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r"Катерина \"Катя\" Власова", 'Катерина "Катя" Власова'),
        (r"Катерина\r\nВласова", "Катерина Власова"),
        (r"O\'Neil", "O'Neil"),
        ("<unknown>", None),
        ("я" * 1000, "я" * 256),
    ],
)
def test_a_name_may_hold_quotes_and_line_feeds_and_be_too_long(written, name):
    assert row(heard(Script().calls(replace(OUTSIDE, label=written)).events)).caller_name == name


# ── who answers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_exchanges_own_answer_is_no_answer():
    call = row(heard(Script().calls(OUTSIDE).at(1).up(OUTSIDE).events))
    assert (call.answered_at, call.phase) == (None, Phase.CONNECTING)


def test_a_phone_that_is_up_but_not_yet_connected_has_not_answered():
    assert row(heard(Script().calls(ALICE).dials(ALICE, BOB).rings(BOB).up(BOB).events)).answered_by == []


def test_whoever_is_connected_with_the_caller_answers():
    call = row(heard(talking().events))
    assert (call.answered_by, call.answered_at) == (["1002"], start(2))


def test_who_only_waits_in_the_same_room_does_not_talk():
    other = replace(BOB, call=2)
    said = Script().calls(ALICE).calls(other).talk(ALICE, other, bridgetechnology="holding_bridge").gone(ALICE, other)
    assert {call.answered_at for call in rows(heard(said.events))} == {None}


def test_the_far_half_of_a_local_channel_is_seen_through():
    near = Leg("Local/101@office-00000000;1", 5, 1, exten="101")
    far = Leg("Local/101@office-00000000;2", 6, 1, exten="101")
    said = Script().calls(ALICE).dials(ALICE, near).calls(far).dials(far, BOB).rings(BOB)
    said.at(1).talk(far, BOB, bridge="b1").at(2).talk(near, ALICE, bridge="b2")
    call = row(heard(said.events))
    assert (call.rung, call.answered_by, call.answered_at) == (["1002"], ["1002"], start(2))


def test_of_two_answers_in_one_instant_the_first_in_the_stream_is_the_first():
    tenth = Leg("PJSIP/judy-0000000a", 10, 1, num="1010")
    said = Script().calls(ALICE).dials(ALICE, tenth).dials(ALICE, BOB).at(1).talk(ALICE, tenth).talk(BOB)
    assert row(heard(said.events)).answered_by == ["1010", "1002"]


def test_a_call_picked_up_elsewhere_is_one_row_by_its_linkedid():
    picked_up = replace(ZOE, call=1)
    said = Script().calls(ALICE).dials(ALICE, BOB).rings(BOB).calls(ZOE).at(2).talk(ALICE, picked_up)
    call = row(heard(said.gone(BOB, cause=26).hangs_up(ALICE).gone(ALICE, picked_up).events))
    assert (call.rung, call.answered_by, call.ended_by) == (["1002"], ["1009"], EndedBy.CALLER)


def test_a_linkedid_that_is_younger_is_late_news():
    said = talking().say("NewCallerid", replace(BOB, call=7).fields()).at(5).hangs_up(BOB).gone(ALICE, BOB)
    assert row(heard(said.events)).ended_by == EndedBy.CALLEE


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_leg_that_lost_the_fork_does_not_end_the_call():
    said = talking().dials(ALICE, CAROL).gone(CAROL, cause=26)
    assert row(heard(said.events)).phase == Phase.TALKING


def test_a_call_lasts_until_its_last_channel_is_gone():
    call = row(heard(talking().at(5).hangs_up(BOB).gone(BOB).at(5.5).gone(ALICE).events))
    assert (call.ended_at, call.talk_time) == (start(5.5), timedelta(seconds=3.5))


def test_what_the_dialplan_does_after_the_end_is_no_talk():
    said = talking().at(5).hangs_up(BOB).say("BridgeLeave", ALICE.fields(), bridgeuniqueid="b1").gone(BOB)
    call = row(heard(said.at(9).gone(replace(ALICE, exten="h")).events))
    assert call.ended_at == start(5)


def test_who_transfers_steps_out_and_ends_nothing():
    said = talking().say("BlindTransfer", ALICE.fields("transferer"), BOB.fields("transferee"))
    said.at(3).hangs_up(ALICE).gone(ALICE).at(8).gone(BOB)
    call = row(heard(said.events))
    assert (call.ended_by, call.ended_at) == (EndedBy.SYSTEM, start(8))


@pytest.mark.parametrize("cause", [38, 41, 102])
def test_a_talk_torn_down_by_a_failure_is_nobodys_doing(cause):
    call = row(heard(talking().hangs_up(BOB, cause).gone(BOB, cause=cause).gone(ALICE).events))
    assert (call.status, call.ended_by) == (Status.NETWORK_ERROR, EndedBy.SYSTEM)


def test_a_phone_that_rings_to_the_end_outweighs_one_that_is_busy():
    said = Script().calls(ALICE).dials(ALICE, BOB).dials(ALICE, CAROL).rings(BOB).hangs_up(CAROL, 17, 486)
    said.gone(CAROL, cause=17).at(20).dial_ends(ALICE, BOB, "NOANSWER").gone(BOB, cause=0).gone(ALICE)
    call = row(heard(said.events))
    assert (call.status, call.ended_by) == (Status.NO_ANSWER, EndedBy.SYSTEM)


def test_a_phone_that_never_rang_until_the_time_was_up_is_unreachable():
    said = Script().calls(ALICE).dials(ALICE, BOB).at(20).dial_ends(ALICE, BOB, "NOANSWER").gone(BOB, cause=0)
    assert row(heard(said.gone(ALICE).events)).status == Status.UNREACHABLE


def test_a_dial_status_speaks_where_the_leg_has_no_cause():
    said = Script().calls(ALICE).dials(ALICE, BOB).dial_ends(ALICE, BOB, "BUSY").gone(BOB, cause=0).gone(ALICE)
    call = row(heard(said.events))
    assert (call.status, call.reason, call.ended_by) == (Status.DECLINED, "busy", EndedBy.CALLEE)


def test_the_last_attempt_counts():
    said = Script().calls(ALICE).dials(ALICE, BOB).hangs_up(BOB, 17, 486).dial_ends(ALICE, BOB, "BUSY")
    said.gone(BOB, cause=17).dials(ALICE, CAROL).rings(CAROL).at(9).dial_ends(ALICE, CAROL, "NOANSWER")
    assert row(heard(said.gone(CAROL, cause=0).gone(ALICE).events)).status == Status.NO_ANSWER


def test_a_caller_who_hangs_up_on_the_busy_tone_was_declined():
    said = Script().calls(ALICE).dials(ALICE, BOB).hangs_up(BOB, 17, 486).dial_ends(ALICE, BOB, "BUSY")
    call = row(heard(said.gone(BOB, cause=17).at(5).hangs_up(ALICE, 127).gone(ALICE, cause=127).events))
    assert (call.status, call.ended_by) == (Status.DECLINED, EndedBy.CALLEE)


def test_a_caller_from_outside_who_hears_only_the_menu_is_missed():
    call = row(heard(Script().calls(OUTSIDE).up(OUTSIDE).at(9).hangs_up(OUTSIDE).gone(OUTSIDE).events))
    assert (call.status, call.ended_by) == (Status.MISSED, EndedBy.CALLER)


def test_a_caller_from_outside_whom_a_busy_phone_refused_is_missed():
    said = Script().calls(OUTSIDE).dials(OUTSIDE, BOB).hangs_up(BOB, 17, 486).dial_ends(OUTSIDE, BOB, "BUSY")
    assert row(heard(said.gone(BOB, OUTSIDE, cause=17).events)).status == Status.MISSED


def test_phones_that_got_no_channel_are_offline():
    said = (
        Script()
        .calls(OUTSIDE)
        .say(
            "CEL",
            eventname="APP_START",
            application="Dial",
            appdata="PJSIP/101&PJSIP/102,20",
            uniqueid=OUTSIDE.fields()["uniqueid"],
        )
    )
    call = row(heard(said.gone(OUTSIDE, cause=20).events))
    assert (call.offline, call.status) == (["101", "102"], Status.MISSED_OFFLINE)


def test_the_congestion_that_the_caller_gets_when_nobody_is_there_is_no_lack_of_lines():
    said = Script().calls(OUTSIDE).say("Newexten", OUTSIDE.fields(), application="Dial", appdata="PJSIP/101,20")
    call = row(heard(said.hangs_up(OUTSIDE, 34).gone(OUTSIDE, cause=34).events))
    assert (call.status, call.offline, call.ended_by) == (Status.MISSED_OFFLINE, ["101"], EndedBy.SYSTEM)


def test_the_congestion_of_an_outside_line_is():
    said = Script().calls(ALICE).say("Newexten", ALICE.fields(), application="Dial", appdata="PJSIP/7999@operator1")
    call = row(heard(said.hangs_up(ALICE, 34).gone(ALICE, cause=34).events))
    assert (call.status, call.offline, call.ended_by) == (Status.NO_CHANNELS, [], EndedBy.SYSTEM)


def test_the_congestion_of_a_line_that_nobody_named_is_no_phone_that_is_offline():
    caller = replace(ALICE, exten="0501112233")
    said = Script().calls(caller).say("Newexten", caller.fields(), application="Dial", appdata="PJSIP/x@operator1")
    call = row(heard(said.hangs_up(caller, 34).gone(caller, cause=34).events, trunks=[]))
    assert (call.direction, call.status) == ("outbound", Status.NO_CHANNELS)


def test_without_log_and_record_the_dialplans_step_tells_who_was_offline():
    said = Script().calls(OUTSIDE).say("Newexten", OUTSIDE.fields(), application="Dial", appdata="PJSIP/101&PJSIP/bob")
    said.dials(OUTSIDE, BOB).rings(BOB).dial_ends(OUTSIDE, BOB, "NOANSWER")
    call = row(heard(said.gone(BOB, OUTSIDE, cause=19).events))
    assert (call.offline, call.rung, call.status) == (["101"], ["1002"], Status.MISSED)


def test_without_the_channel_log_the_detail_record_tells_who_was_offline():
    linkedid = OUTSIDE.fields()["linkedid"]
    said = Script().calls(OUTSIDE).gone(OUTSIDE, cause=20)
    said.say("Cdr", linkedid=linkedid, lastapplication="Dial", lastdata="PJSIP/101,20", disposition="FAILED")
    assert row(heard(said.events)).status == Status.MISSED_OFFLINE


# ── what time it is ──────────────────────────────────────────────────────────────────────────────────────────────────


def played_live(script: Script, clock_error: timedelta) -> list[dict]:
    """The events as they arrive, without a stamp, at an exchange whose clock is wrong."""
    translator, told = Translator(TENANT, TRUNKS), []
    for event in script.events:
        seconds = float(event["timestamp"]) - STARTED
        bare = {key: value for key, value in event.items() if key != "timestamp"}
        told += translator.feed(bare, start(seconds) - clock_error)
    return told + translator.finish()


@pytest.mark.parametrize("clock_error", [timedelta(0), timedelta(hours=1), -timedelta(hours=1)])
def test_without_stamps_and_log_receipt_tells_how_long_whatever_the_exchanges_clock(clock_error):
    call = row(played_live(talking().at(7).hangs_up(BOB).gone(BOB, ALICE), clock_error))
    assert (call.placed_at, call.wait_time, call.talk_time) == (start(), timedelta(seconds=2), timedelta(seconds=5))


def test_the_answer_to_a_ping_tells_the_time_and_does_not_stop_it():
    translator = Translator(TENANT, TRUNKS)
    pong = {"response": "Success", "ping": "Pong", "timestamp": f"{STARTED - 20}.5"}
    told = translator.feed(pong, start(-20))
    for event in talking().at(7).hangs_up(BOB).gone(BOB, ALICE).events:
        at = start(float(event["timestamp"]) - STARTED)
        told += translator.feed({key: value for key, value in event.items() if key != "timestamp"}, at)
    assert row(told).talk_time == timedelta(seconds=5)


@pytest.mark.parametrize("zone", [timedelta(0), timedelta(hours=2), -timedelta(hours=3, minutes=30)])
def test_the_channel_log_is_read_in_the_exchanges_own_zone(zone):
    reading = f"{start() + zone:%Y-%m-%d %H:%M:%S}"
    log = {"uniqueid": OUTSIDE.fields()["uniqueid"], "eventtime": reading}
    said = Script(stamped=False).calls(OUTSIDE).say("CEL", log, eventname="CHAN_START")
    call = row(heard(said.gone(OUTSIDE).say("CEL", log, eventname="HANGUP").events))
    assert call.ended_at == start()


def test_an_end_that_the_channel_log_does_not_tell_of_is_not_waited_for_for_ever():
    uniqueid = OUTSIDE.fields()["uniqueid"]
    said = Script(stamped=False).calls(OUTSIDE)
    said.say("CEL", eventname="CHAN_START", uniqueid=uniqueid, eventtime=f"{start():%Y-%m-%d %H:%M:%S}")
    other = replace(OUTSIDE, name="PJSIP/operator1-00000009", number=90, call=90, born=60)
    assert kinds(heard(said.gone(OUTSIDE).new(other, "ring").events))[:2] == ["placed", "ended"]


# ── when nobody listened ─────────────────────────────────────────────────────────────────────────────────────────────

AGAIN = list(
    events(
        """
        Response: Success
        Message: Authentication accepted
        """,
        """
        Event: FullyBooted
        Uptime: 900
        """,
    )
)
NOBODY_LIVES = list(events("Event: CoreShowChannelsComplete\nListItems: 0"))


def test_a_call_that_is_not_listed_after_the_gap_ended_unseen():
    call = row(heard([*talking().events, *AGAIN, *NOBODY_LIVES]))
    assert (call.phase, call.ended_by, call.status) == (Phase.ENDED, EndedBy.UNKNOWN, Status.ANSWERED)


def test_a_call_lives_on_after_the_gap_until_it_is_known_to_have_ended():
    assert row(heard([*talking().events, *AGAIN])).phase == Phase.TALKING


def test_a_call_that_began_after_the_gap_is_not_missing_from_the_list():
    said = Script().at(5).calls(OUTSIDE)
    assert row(heard([*AGAIN, *said.events, *NOBODY_LIVES])).phase == Phase.CONNECTING


def test_calls_of_an_exchange_that_was_killed_are_torn_down():
    young = list(events("Event: FullyBooted\nUptime: 1"))
    call = row(heard([*young, *talking().at(60).up(BOB).events, AGAIN[0], *young]))
    assert (call.status, call.ended_at) == (Status.NETWORK_ERROR, start(60))


@pytest.mark.parametrize(("again", "status"), [("07:00:00", Status.ANSWERED), ("09:53:54", Status.NETWORK_ERROR)])
def test_an_exchange_that_is_asked_while_it_boots_tells_that_it_was_started_again(again, status):
    """It lists no channel then, and is fully booted a moment later."""
    started = "Response: Success\nCoreStartupDate: 2026-11-24\nCoreStartupTime: {}"
    call = row(
        heard(
            [
                *events(started.format("07:00:00")),
                *talking().events,
                AGAIN[0],
                *events(started.format(again)),
                *NOBODY_LIVES,
                *events("Event: FullyBooted\nUptime: 0"),
            ]
        )
    )
    assert (call.phase, call.status) == (Phase.ENDED, status)


def test_an_end_seen_without_its_beginning_is_an_answered_call_all_the_same():
    said = talking().events[:-2]
    rest = Script().at(30).hangs_up(ALICE)
    for leg in (ALICE, BOB):
        rest.say("BridgeLeave", leg.fields(), bridgeuniqueid="b1")
    call = row(heard([*said, *AGAIN, *rest.gone(ALICE, BOB).events]))
    assert (call.status, call.answered_by, call.ended_by) == (Status.ANSWERED, ["1002"], EndedBy.CALLER)


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_nobody_knows_say_nothing():
    assert heard(events("Event: Whatever\nUniqueid: 1.1\nLinkedid: 1.1", "Response: Error\nMessage: No")) == []


@pytest.mark.parametrize("name", ["Newchannel", "DialBegin", "BridgeEnter", "Hangup", "CEL", "Cdr", "Status", "Pickup"])
def test_an_event_that_lost_its_fields_says_nothing(name):
    assert heard(events(f"Event: {name}", f"Event: {name}\nUniqueid: x", f"Event: {name}\nTimestamp: soon")) == []


@pytest.mark.parametrize(
    "absurd",
    [
        "Event: FullyBooted\nUptime: 99999999999",
        "Event: FullyBooted\nUptime: " + "9" * 5000,
        "Event: CoreShowChannel\nUniqueid: 1795373800.1\nLinkedid: 1795373800.1\nDuration: 9999999999999:00:00",
        "Event: Status\nUniqueid: 99999999999.1\nLinkedid: 99999999999.1\nSeconds: 999999999",
        "Event: CEL\nEventName: CHAN_START\nUniqueid: 1795373800.1\nEventTime: 0001-01-01 00:00:00",
        "Event: CEL\nEventName: HANGUP\nUniqueid: 1795373800.1\nEventTime: 9999-12-31 23:59:59",
        "Event: Cdr\nUniqueid: 1795373800.1\nLinkedid: 1795373800.1\nStartTime: 9999-12-31 23:59:59",
    ],
)
@pytest.mark.parametrize("zone", [timedelta(hours=2), -timedelta(hours=2)])
def test_an_absurd_number_stops_nothing(absurd, zone):
    log = {"uniqueid": ALICE.fields()["uniqueid"], "eventtime": f"{start() + zone:%Y-%m-%d %H:%M:%S}"}
    begun = [*Script().calls(ALICE).events, *Script(stamped=False).say("CEL", log, eventname="CHAN_START").events]
    call = row(heard([*begun, *events(absurd), *talking().events[1:], *talking().gone(ALICE, BOB).events[-2:]]))
    assert (call.status, call.answered_at) == (Status.ANSWERED, start(2))


def test_a_key_too_long_for_a_report_is_shortened_and_stays_unique():
    long = [
        event | {key: value + "x" * 200 for key, value in event.items() if key.endswith("id")}
        for event in talking().events
    ]
    call = row(heard(long))
    assert call.answered_by == ["1002"]


def test_late_events_of_a_call_that_is_over_make_no_call_again():
    said = talking().hangs_up(ALICE).gone(ALICE, BOB).events
    translator = Translator(TENANT, TRUNKS)
    for event in said:
        translator.feed(event)
    translator.finish()
    assert [report for event in said for report in translator.feed(event)] == []


def test_a_call_of_twenty_six_hours_is_remembered():
    hours = 26 * 3600.0
    call = row(heard(talking().at(hours).hangs_up(BOB).gone(BOB, ALICE).events))
    assert call.talk_time == timedelta(seconds=hours - 2)


def test_what_is_over_is_forgotten():
    translator = Translator(TENANT, TRUNKS)
    for number in range(0, 600, 2):
        caller = replace(ALICE, number=number, call=number, name=f"PJSIP/alice-{number:08x}")
        callee = replace(BOB, number=number + 1, call=number, name=f"PJSIP/bob-{number:08x}")
        script = Script(now=number).calls(caller).dials(caller, callee).talk(caller, callee, bridge=f"b{number}")
        for event in script.hangs_up(caller).gone(caller, callee).events:
            translator.feed(event)
    assert len(translator._exchange.calls) < 20
    assert (
        len(translator._exchange.channels) == len(translator._exchange.by_name) == 2 * len(translator._exchange.calls)
    )


def test_a_queue_that_rings_for_hours_keeps_only_what_rings():
    translator = Translator(TENANT, TRUNKS)
    script = Script().calls(OUTSIDE).say("QueueCallerJoin", OUTSIDE.fields(), queue="support")
    for attempt in range(500):
        agent = replace(BOB, number=10 + attempt, name=f"PJSIP/bob-{attempt:08x}")
        script.at(5 * attempt).dials(OUTSIDE, agent).rings(agent).dial_ends(OUTSIDE, agent, "NOANSWER")
        script.gone(agent, cause=0)
    told = [report for event in script.events for report in translator.feed(event)]
    assert len(translator._exchange.channels) < 5
    assert row(told).rung == ["1002"]
