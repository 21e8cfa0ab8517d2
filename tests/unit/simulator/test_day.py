"""A day is reproducible, in order, in rhythm, and has all kinds of calls at sane rates."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from shared.contracts.calls.reports import load
from shared.contracts.values import Phase, Status
from tests.unit.simulator.call_states import call_states, statuses_with_call_backs
from tools.simulator.call_volume import KYIV, expected_call_count
from tools.simulator.day import live_reports, past_reports
from tools.simulator.demo_company import demo_company
from tools.simulator.reports import Report

COMPANY = demo_company()
MONDAY = datetime(2026, 10, 19, tzinfo=KYIV).astimezone(UTC)
MONTH = 30 * 24
SHARES = {
    Status.ANSWERED: (0.55, 0.80),
    Status.MISSED: (0.03, 0.12),
    Status.RETURNED: (0.02, 0.10),
    Status.MISSED_OFFLINE: (0.003, 0.04),
    Status.DECLINED: (0.02, 0.06),
    Status.UNREACHABLE: (0.02, 0.06),
    Status.NO_ANSWER: (0.02, 0.08),
    Status.CANCELLED: (0.01, 0.06),
    Status.NO_CHANNELS: (0.003, 0.02),
    Status.NETWORK_ERROR: (0.003, 0.03),
    Status.UNKNOWN_ERROR: (0.002, 0.02),
}


def past(seed: str = "1", start: datetime = MONDAY, hours: int = MONTH, calls: int = 200) -> list[Report]:
    return list(past_reports(COMPANY, "oselia", seed, start, hours, calls))


def live(seed: str = "1", start: datetime = MONDAY, per_second: float = 1.0, reports: int = 500) -> list[Report]:
    return list(islice(live_reports(COMPANY, "oselia", seed, start, per_second), reports))


def placed(reports: list[Report]) -> list[Report]:
    return [report for report in reports if report.type == "placed"]


@pytest.fixture(scope="module")
def month() -> list[Report]:
    return past(calls=10_000)


@pytest.mark.parametrize("tell", [past, live])
def test_the_same_seed_and_start_give_the_same_bytes(tell):
    once, again = (json.dumps([report.as_json() for report in tell()]) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("tell", [past, live])
@pytest.mark.parametrize(
    "otherwise", [{"seed": "2"}, {"start": MONDAY + timedelta(microseconds=1)}], ids=["seed", "start"]
)
def test_different_runs_have_different_ids(tell, otherwise):
    assert not {report.report_id for report in tell()} & {report.report_id for report in tell(**otherwise)}
    assert not {report.call for report in tell()} & {report.call for report in tell(**otherwise)}


def test_the_number_of_calls_and_the_rate_are_part_of_the_run_id():
    assert not {report.call for report in past()} & {report.call for report in past(calls=201)}
    assert not {report.call for report in live()} & {report.call for report in live(per_second=2)}


@pytest.mark.parametrize("tell", [past, live])
def test_reports_are_sorted_by_time(tell):
    times = [report.at for report in tell()]
    assert times == sorted(times)


def test_every_report_is_valid(month):
    assert len(load([report.as_json() for report in month])) == len(month)


def test_report_ids_are_unique(month):
    assert len({report.report_id for report in month}) == len(month)


def test_a_past_period_has_exactly_the_requested_calls(month):
    assert len(placed(month)) == 10_000


@pytest.mark.parametrize("calls", [1, 2, 7, 1000])
@pytest.mark.parametrize("hours", [1, 5, 24])
def test_all_calls_of_a_short_period_have_ended(calls, hours):
    reports = past(hours=hours, calls=calls)
    assert len(placed(reports)) == calls
    assert all(MONDAY <= report.at <= MONDAY + timedelta(hours=hours) for report in reports)
    assert all(call.phase is Phase.ENDED for call in call_states(reports).values())


def test_every_final_status_occurs_at_a_plausible_rate(month):
    statuses = Counter(statuses_with_call_backs(call_states(month)))
    assert statuses.keys() == SHARES.keys()
    for status, (least, most) in SHARES.items():
        assert least < statuses[status] / 10_000 < most, f"{status}: {statuses[status]}"


def test_the_live_statuses_are_those_of_calls_in_progress():
    calls = call_states(live(reports=2000)).values()
    in_progress = {call.status for call in calls if call.phase is not Phase.ENDED}
    assert {Status.CONNECTING, Status.RINGING, Status.ANSWERED} <= in_progress


def test_every_direction_and_every_demo_line_occurs(month):
    assert {report.data["direction"] for report in placed(month)} == {"inbound", "outbound", "internal"}
    answering = {report.data["party"] for report in month if report.type == "answered"}
    calling = {report.data["caller"] for report in placed(month)}
    assert {"101", "102", "120"} <= answering & calling


def test_withheld_foreign_and_unknown_callers_occur(month):
    callers = {report.data["caller"] for report in placed(month) if report.data["direction"] == "inbound"}
    known = {customer.number for customer in COMPANY.customers}
    assert "" in callers
    assert any(caller.startswith("+48") for caller in callers)
    assert callers - known


def test_few_calls_happen_at_night_or_on_sunday(month):
    there = [report.at.astimezone(KYIV) for report in placed(month)]
    by_day = sum(9 <= at.hour < 18 for at in there)
    by_weekday = Counter(at.weekday() for at in there)
    assert by_day > 0.8 * len(there)
    assert by_weekday[6] < by_weekday[5] < by_weekday[2]


def test_a_live_exchange_keeps_its_rate():
    reports = live(per_second=5, reports=20_000)
    seconds = (placed(reports)[-1].at - MONDAY).total_seconds()
    assert len(placed(reports)) / seconds == pytest.approx(5, rel=0.1)


def test_busy_staff_take_no_second_call_while_others_are_free():
    calls = [call for call in call_states(past(hours=240, calls=500)).values() if call.direction == "outbound"]
    calls.sort(key=lambda call: call.placed_at)
    until: dict[str, datetime] = {}
    for call in calls:
        assert until.get(call.caller, call.placed_at) <= call.placed_at
        until[call.caller] = call.ended_at


def test_a_working_week_has_some_thousands_of_calls():
    assert 3500 < expected_call_count(MONDAY, 7 * 24) < 5000
