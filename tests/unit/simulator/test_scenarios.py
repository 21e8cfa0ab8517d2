"""Every scenario is the kind of call it is named for."""

from datetime import UTC, datetime
from itertools import count
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.contracts.values import Status
from tests.unit.simulator.call_states import call_states, statuses_with_call_backs
from tools.simulator import scenarios
from tools.simulator.demo_company import demo_company
from tools.simulator.numbers import WITHHELD
from tools.simulator.reports import Report
from tools.simulator.scenario_context import ScenarioContext

COMPANY = demo_company()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EXPECTED = {
    scenarios.inbound_direct: Status.ANSWERED,
    scenarios.inbound_group: Status.ANSWERED,
    scenarios.inbound_queue: Status.ANSWERED,
    scenarios.inbound_menu: Status.ANSWERED,
    scenarios.outbound_answered: Status.ANSWERED,
    scenarios.internal_answered: Status.ANSWERED,
    scenarios.internal_offline: Status.UNREACHABLE,
    scenarios.forwarded_unanswered: Status.ANSWERED,
    scenarios.transferred: Status.ANSWERED,
    scenarios.missed_nobody_answers: Status.MISSED,
    scenarios.missed_caller_gives_up: Status.MISSED,
    scenarios.missed_in_menu: Status.MISSED,
    scenarios.missed_offline: Status.MISSED_OFFLINE,
    scenarios.declined_busy: Status.DECLINED,
    scenarios.declined_refused: Status.DECLINED,
    scenarios.unreachable: Status.UNREACHABLE,
    scenarios.no_answer: Status.NO_ANSWER,
    scenarios.cancelled: Status.CANCELLED,
    scenarios.no_channels: Status.NO_CHANNELS,
    scenarios.network_error: Status.NETWORK_ERROR,
    scenarios.unknown_error: Status.UNKNOWN_ERROR,
}
each_scenario = pytest.mark.parametrize("scenario", EXPECTED, ids=lambda scenario: scenario.__name__)
seeds = st.integers(0, 2**32)


def context(seed: int, at: datetime = NOON, first_key: int = 1) -> ScenarioContext:
    keys = (f"call-{number}" for number in count(first_key))
    return ScenarioContext("oselia", COMPANY, COMPANY.staff, Random(seed), keys, at)


def only_call(reports: list[Report]):
    (call,) = call_states(reports).values()
    return call


@each_scenario
@settings(max_examples=30)
@given(seed=seeds)
def test_a_scenario_results_in_the_status_it_is_named_after(scenario, seed):
    assert only_call(scenario(context(seed))).status is EXPECTED[scenario]


@each_scenario
@settings(max_examples=30)
@given(seed=seeds)
def test_a_call_starts_with_placed_and_its_times_ascend(scenario, seed):
    reports = scenario(context(seed))
    assert reports[0].type == "placed"
    assert reports[0].at == NOON
    assert [report.at for report in reports] == sorted(report.at for report in reports)


@each_scenario
@settings(max_examples=30)
@given(seed=seeds)
def test_equal_generator_states_give_equal_calls(scenario, seed):
    assert scenario(context(seed)) == scenario(context(seed))


@given(seed=seeds)
def test_a_missed_call_with_a_call_back_is_returned(seed):
    missed = scenarios.missed_nobody_answers(context(seed))
    assume(missed[0].data["caller"] != WITHHELD)
    back = scenarios.call_back(context(seed, at=missed[-1].at, first_key=2), missed[0].data["caller"])
    assert statuses_with_call_backs(call_states([*missed, *back])) == [Status.RETURNED, Status.ANSWERED]


def test_a_ring_group_rings_several_telephones_and_one_of_them_answers():
    call = only_call(scenarios.inbound_group(context(1)))
    assert len(call.rung) > 1
    assert call.answered_by[0] in call.rung


def test_a_menu_precedes_the_group_it_leads_to():
    call = only_call(scenarios.inbound_menu(context(1)))
    assert call.groups[0] == "menu"
    assert len(call.groups) == 2


@pytest.mark.parametrize("scenario", [scenarios.forwarded_unanswered, scenarios.transferred])
def test_a_call_forwarded_to_a_mobile_has_a_second_leg(scenario):
    call = only_call(scenario(context(1)))
    assert call.forwarded[0].to in COMPANY.engineers
    assert call.forwarded[0].line == COMPANY.lines[0]


def test_an_engaged_number_and_a_rejected_call_are_declined():
    assert only_call(scenarios.declined_busy(context(1))).reason == "busy"
    assert only_call(scenarios.declined_refused(context(1))).reason == "declined"


def test_some_conversations_are_recorded_from_the_moment_of_pickup():
    told = [scenarios.outbound_answered(context(seed)) for seed in range(20)]
    recorded = [reports for reports in told if reports[-1].type == "recorded"]
    assert 0 < len(recorded) < len(told)
    for reports in recorded:
        answered = next(report for report in reports if report.type == "answered")
        assert reports[-1].data["started_at"] == answered.as_json()["at"]
