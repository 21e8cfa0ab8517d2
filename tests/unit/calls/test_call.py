"""The status of each scenario; the state does not depend on the order of reports; limits."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from uuid import UUID

import orjson
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.calls.domain import call as domain
from services.calls.domain.call import AddReport, GiveUp, SetReturnedBy
from services.calls.handlers import EVENT_OF_REPORT, published_state
from shared.contracts.calls.events import (
    CallAnswered,
    CallConnecting,
    CallEnded,
    CallForwarded,
    CallGivenUp,
    CallReturned,
    CallReturnWithdrawn,
    CallState,
    PartyOffline,
    PartyRang,
    Reported,
    call_id,
)
from shared.contracts.calls.reports import Report
from shared.contracts.values import Phase, Status
from tests.support import scenarios
from tests.support.scenarios import TENANT, Scenario
from tests.support.spec import Spec

given = Spec(domain).given
ID = call_id(TENANT, "pbx-1")
OTHER = UUID(int=7)

SCENARIOS = list(
    scenarios.read(
        """
        # live, nobody alerted
        at       | report     | data
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        => connecting by nobody_alerted_yet, connecting

        # live, a queue is looking
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | connecting | support
        => connecting by nobody_alerted_yet, connecting

        # live, ringing
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | offline    | 102
        12:00:02 | ringing    | 101
        => ringing by party_is_alerted, ringing

        # talking
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:02 | ringing    | 101
        12:00:08 | answered   | 101
        => answered by answered_by_party, talking, waited 8 s

        # inbound answered
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:02 | ringing    | 101
        12:00:08 | answered   | 101
        12:00:20 | ended      | by callee, cause 16
        => answered by answered_by_party, ended, waited 8 s, talked 12 s, ended by callee

        # torn down while talking
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:05 | answered   | +380501112233
        12:00:09 | ended      | by system, cause 38
        => network_error by torn_down_by_failure, ended, waited 5 s, talked 4 s, ended by system

        # the SIP code alone tells of the failure
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:05 | answered   | +380501112233
        12:00:09 | ended      | by unknown, sip 481
        => network_error by torn_down_by_failure, ended, waited 5 s, talked 4 s, ended by unknown

        # a normal cause outranks the code beside it
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:05 | answered   | +380501112233
        12:00:09 | ended      | by caller, cause 16, sip 503
        => answered by answered_by_party, ended, waited 5 s, talked 4 s, ended by caller

        # switched off
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:06 | ended      | by system, cause 20
        => unreachable by never_rang, ended, waited 6 s, ended by system

        # not there, by code
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:06 | ended      | by system, sip 404
        => unreachable by never_rang, ended, waited 6 s, ended by system

        # the cause outranks the code: 503 with cause 20 is no lack of channels
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:06 | ended      | by system, cause 20, sip 503
        => unreachable by never_rang, ended, waited 6 s, ended by system

        # rang, and then an unreachable cause
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:02 | ringing    | +380501112233
        12:00:20 | ended      | by callee, cause 18
        => no_answer by rang_unanswered, ended, waited 20 s, ended by callee

        # dialling time-out
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:02 | ringing    | +380501112233
        12:00:30 | ended      | by system, cause 16
        => no_answer by rang_unanswered, ended, waited 30 s, ended by system

        # dialling time-out without a cause
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:02 | ringing    | +380501112233
        12:00:30 | ended      | by system
        => no_answer by rang_unanswered, ended, waited 30 s, ended by system

        # refused
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:02 | ringing    | +380501112233
        12:00:20 | ended      | by callee, cause 21
        => declined by far_end_refused (reason declined), ended, waited 20 s, ended by callee

        # busy, by code
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:03 | ended      | by callee, sip 486
        => declined by far_end_busy (reason busy), ended, waited 3 s, ended by callee

        # hung up by the caller
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:02 | ringing    | +380501112233
        12:00:07 | ended      | by caller, cause 127
        => cancelled by cancelled_by_caller, ended, waited 7 s, ended by caller

        # cancelled, by code
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:07 | ended      | by unknown, sip 487
        => cancelled by cancelled_by_caller, ended, waited 7 s, ended by unknown

        # missed
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:02 | ringing    | 101
        12:00:30 | ended      | by caller, cause 16
        => missed by nobody_picked_up, ended, waited 30 s, ended by caller

        # missed in the queue
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | connecting | support
        12:00:30 | ended      | by caller
        => missed by group_found_nobody, ended, waited 30 s, ended by caller

        # every phone unplugged
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | connecting | support
        12:00:02 | offline    | 101
        12:00:02 | offline    | 102
        12:00:09 | ended      | by system, cause 20
        => missed_offline by every_party_offline, ended, waited 9 s, ended by system

        # one of two could be alerted
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:02 | offline    | 101
        12:00:02 | ringing    | 102
        12:00:09 | ended      | by caller, cause 16
        => missed by nobody_picked_up, ended, waited 9 s, ended by caller

        # no channels, by the exchange's word
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:00 | refused    | no_channels
        12:00:01 | ended      | by system, cause 17
        => no_channels by refused_for_channels, ended, waited 1 s, ended by system

        # no channels outranks a ringing phone
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | ringing    | 101
        12:00:04 | ended      | by system, cause 34
        => no_channels by cause_means_no_channels, ended, waited 4 s, ended by system

        # no channels, by code
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:01 | ended      | by system, sip 503
        => no_channels by cause_means_no_channels, ended, waited 1 s, ended by system

        # inbound, nobody was tried
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:03 | ended      | by system, cause 111
        => unknown_error by nothing_matched, ended, waited 3 s, ended by system

        # outbound, an unknown cause
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:03 | ended      | by system, cause 99
        => unknown_error by nothing_matched, ended, waited 3 s, ended by system

        # rang, and torn down without a reason by nobody knows whom
        12:00:00 | placed     | outbound 101 -> +380501112233
        12:00:01 | ringing    | +380501112233
        12:00:03 | ended      | by unknown, cause 16
        => unknown_error by nothing_matched, ended, waited 3 s, ended by unknown

        # internal calls follow the outbound rules
        12:00:00 | placed     | internal 101 -> 102
        12:00:01 | ringing    | 102
        12:00:03 | ended      | by caller, cause 16
        => cancelled by cancelled_by_caller, ended, waited 3 s, ended by caller

        # a group call answered by somebody else
        12:00:00 | placed     | inbound +380501112233 -> +380443303018
        12:00:01 | connecting | support
        12:00:02 | ringing    | 101
        12:00:02 | ringing    | 102
        12:00:05 | answered   | 102
        12:00:09 | ended      | by caller, cause 16
        => answered by answered_by_party, ended, waited 5 s, talked 4 s, ended by caller
        """
    )
)


def events(reports: tuple[Report, ...] | list[Report]) -> list[Reported]:
    return [
        EVENT_OF_REPORT[report.type](call_id=ID, at=report.at, report_id=report.report_id, **report.data)
        for report in reports
    ]


def state_of(*reported: object) -> CallState:
    return domain.state(ID, reduce(domain.evolve, reported, domain.INITIAL))


def outcome_line(state: CallState) -> str:
    parts = [f"{state.status} by {state.rule}" + (f" (reason {state.reason})" if state.reason else ""), state.phase]
    if state.wait_time is not None:
        parts.append(f"waited {state.wait_time.total_seconds():g} s")
    if state.talk_time is not None:
        parts.append(f"talked {state.talk_time.total_seconds():g} s")
    if state.ended_by:
        parts.append(f"ended by {state.ended_by}")
    return ", ".join(parts)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_each_scenario_has_its_expected_outcome(scenario: Scenario) -> None:
    assert outcome_line(state_of(*events(scenario.reports))) == scenario.expected


def test_the_scenarios_cover_all_thirteen_statuses() -> None:
    columns = {state_of(*events(scenario.reports)).status for scenario in SCENARIOS}
    assert columns | {Status.RETURNED} == set(Status)


@for_all(st.data())
def test_duplicates_and_order_of_reports_do_not_change_the_row(data: st.DataObject) -> None:
    scenario = data.draw(st.sampled_from(SCENARIOS))
    again = data.draw(st.lists(st.sampled_from(scenario.reports), max_size=5))
    shuffled = data.draw(st.permutations([*scenario.reports, *again]))
    assert state_of(*events(shuffled)) == state_of(*events(scenario.reports))


REPORT = st.builds(
    lambda number, second, type_and_data: Report(
        report_id=f"r{number}",
        tenant=TENANT,
        call="pbx-1",
        type=type_and_data[0],
        at=scenarios.DAY + timedelta(seconds=second),
        data=type_and_data[1],
    ),
    st.integers(0, 50),
    st.integers(0, 5),
    st.sampled_from(
        sorted(
            {(report.type, tuple(report.data.items())) for scenario in SCENARIOS for report in scenario.reports},
            key=str,
        )
    ).map(lambda pair: (pair[0], dict(pair[1]))),
)


@for_all(st.lists(REPORT, max_size=12, unique_by=lambda report: report.report_id), st.randoms())
def test_the_state_does_not_depend_on_the_order_of_reports(reports: list[Report], random: object) -> None:
    shuffled = [*reports, *reports[:3]]
    random.shuffle(shuffled)
    assert state_of(*events(shuffled)) == state_of(*events(reports))


@for_all(st.lists(REPORT, max_size=12, unique_by=lambda report: report.report_id))
def test_wait_and_talk_time_add_up_for_any_clocks(reports: list[Report]) -> None:
    state = state_of(*events(reports))
    if state.placed_at and state.answered_at and state.ended_at and state.placed_at <= state.ended_at:
        assert state.wait_time + state.talk_time == state.ended_at - state.placed_at


INBOUND_MISSED = events(next(s for s in SCENARIOS if s.title == "missed").reports)
TALKING = events(next(s for s in SCENARIOS if s.title == "talking").reports)
ENDED = events(next(s for s in SCENARIOS if s.title == "inbound answered").reports)[-1]


def test_a_report_becomes_an_event() -> None:
    given().when(AddReport(fact=INBOUND_MISSED[0])).then(INBOUND_MISSED[0])


def rung(number: int, party: str = "101") -> list[PartyRang]:
    """Ringing reports of one party, or of numbered parties if the name is a template."""
    return [PartyRang(call_id=ID, at=ENDED.at, report_id=f"r{n}", party=party.format(n)) for n in range(number)]


def test_above_the_report_limit_only_an_end_is_accepted() -> None:
    rang = rung(domain.MAX_REPORTS_PER_CALL)
    given(*rang).when(AddReport(fact=TALKING[0])).then_rejected("too_many_reports_of_one_call")
    given(*rang).when(AddReport(fact=ENDED)).then(ENDED)


def test_above_the_report_limit_earlier_ends_are_accepted_up_to_a_limit() -> None:
    def ended(sooner: int) -> CallEnded:
        return replace(ENDED, at=ENDED.at - timedelta(seconds=sooner), report_id=f"e{sooner}")

    rang, ends = rung(domain.MAX_REPORTS_PER_CALL), [ended(sooner) for sooner in range(domain.MAX_LATE_ENDS_PER_CALL)]
    given(*rang, ended(5)).when(AddReport(fact=ended(6))).then(ended(6))
    for no_sooner in (4, 5):
        given(*rang, ended(5)).when(AddReport(fact=ended(no_sooner))).then_rejected("too_many_reports_of_one_call")
    given(*rang, *ends[:-1]).when(AddReport(fact=ends[-1])).then(ends[-1])
    given(*rang, *ends).when(AddReport(fact=ended(999))).then_rejected("too_many_reports_of_one_call")


LONG = "ї" * 250
MORE_TEXT = [
    CallConnecting(call_id=ID, at=ENDED.at, report_id="more", group=LONG),
    PartyRang(call_id=ID, at=ENDED.at, report_id="more", party=LONG),
    PartyOffline(call_id=ID, at=ENDED.at, report_id="more", party=LONG),
    CallAnswered(call_id=ID, at=ENDED.at, report_id="more", party=LONG),
    CallForwarded(call_id=ID, at=ENDED.at, report_id="more", to="1", line=LONG),
]


@pytest.mark.parametrize("more", MORE_TEXT, ids=lambda more: type(more).__name__)
def test_the_size_of_the_published_state_is_limited(more: Reported) -> None:
    """As JSON: a batch of 500 of the greatest messages is some tens of megabytes, whatever their characters."""
    full = rung(62, "{}" + LONG)
    given(*full).when(AddReport(fact=more)).then_rejected("too_many_parties_of_one_call")
    given(*full).when(AddReport(fact=full[0])).then(full[0])
    for other in (*TALKING[::2], ENDED):
        given(*full).when(AddReport(fact=other)).then(other)
    assert len(orjson.dumps(published_state(f"call-{ID}", reduce(domain.evolve, full, domain.INITIAL)))) < 40_000


def test_a_queue_of_four_hundred_parties_may_ring() -> None:
    rang = rung(400, "sip:{}@pbx.example.com")
    given(*rang[1:]).when(AddReport(fact=rang[0])).then(rang[0])


def test_a_stale_call_is_given_up_at_its_last_report() -> None:
    given(*TALKING).when(GiveUp(call_id=ID)).then(CallGivenUp(call_id=ID, at=TALKING[-1].at))


def test_an_ended_call_is_not_given_up() -> None:
    given(*TALKING, ENDED).when(GiveUp(call_id=ID)).then_nothing()


def test_a_call_is_given_up_once() -> None:
    given(*TALKING, CallGivenUp(call_id=ID, at=TALKING[-1].at)).when(GiveUp(call_id=ID)).then_nothing()


def test_an_answered_call_that_was_given_up_is_a_network_error_until_it_ends() -> None:
    given_up = CallGivenUp(call_id=ID, at=TALKING[-1].at)
    assert state_of(*TALKING, given_up).status is Status.NETWORK_ERROR
    assert state_of(*TALKING, given_up, ENDED) == state_of(*TALKING, ENDED)


def test_a_missed_call_is_returned() -> None:
    given(*INBOUND_MISSED).when(SetReturnedBy(call_id=ID, returned_by=OTHER, at=ENDED.at)).then(
        CallReturned(call_id=ID, returned_by=OTHER, at=ENDED.at)
    )


def test_setting_the_same_returning_call_causes_no_event() -> None:
    returned = CallReturned(call_id=ID, returned_by=OTHER, at=ENDED.at)
    given(*INBOUND_MISSED, returned).when(SetReturnedBy(call_id=ID, returned_by=OTHER, at=ENDED.at)).then_nothing()


def test_a_return_may_be_withdrawn() -> None:
    returned = CallReturned(call_id=ID, returned_by=OTHER, at=ENDED.at)
    given(*INBOUND_MISSED, returned).when(SetReturnedBy(call_id=ID, returned_by=None, at=ENDED.at)).then(
        CallReturnWithdrawn(call_id=ID, at=ENDED.at)
    )


def test_a_call_corrected_to_answered_is_not_returned() -> None:
    returned = CallReturned(call_id=ID, returned_by=OTHER, at=ENDED.at)
    state = state_of(*INBOUND_MISSED, returned)
    assert (state.status, state.phase, state.returned_by) == (Status.RETURNED, Phase.ENDED, OTHER)
    corrected = state_of(*INBOUND_MISSED, returned, TALKING[-1])
    assert (corrected.status, corrected.returned_by) == (Status.ANSWERED, None)


def test_a_call_without_a_placed_report_has_no_direction_or_time() -> None:
    assert state_of(*TALKING[1:]).placed_at is None
