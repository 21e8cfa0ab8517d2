"""Choose a scenario for each call and merge the reports of all calls by time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from heapq import heappop, heappush
from itertools import count
from math import exp
from random import Random

from tools.simulator import scenarios
from tools.simulator.call_volume import arrivals_of_period, is_working_hour, steady_arrivals
from tools.simulator.demo_company import Company, Person
from tools.simulator.numbers import WITHHELD
from tools.simulator.reports import Report
from tools.simulator.scenario_context import ScenarioContext
from tools.simulator.scenarios import Scenario

CALLED_BACK_SHARE = 0.45
MIN_FREE_STAFF = 5

MISSED_SCENARIOS = (
    scenarios.missed_nobody_answers,
    scenarios.missed_caller_gives_up,
    scenarios.missed_in_menu,
    scenarios.missed_offline,
)
WORKING_HOURS: dict[Scenario, float] = {
    scenarios.inbound_direct: 17,
    scenarios.inbound_group: 13,
    scenarios.inbound_queue: 9,
    scenarios.inbound_menu: 7,
    scenarios.outbound_answered: 15,
    scenarios.internal_answered: 5,
    scenarios.internal_offline: 0.5,
    scenarios.forwarded_unanswered: 1.5,
    scenarios.transferred: 1.5,
    scenarios.missed_nobody_answers: 4,
    scenarios.missed_caller_gives_up: 5,
    scenarios.missed_in_menu: 1.5,
    scenarios.missed_offline: 1.5,
    scenarios.declined_busy: 2,
    scenarios.declined_refused: 2,
    scenarios.unreachable: 3.5,
    scenarios.no_answer: 5,
    scenarios.cancelled: 3,
    scenarios.no_channels: 1,
    scenarios.network_error: 1.2,
    scenarios.unknown_error: 0.8,
}
OUTSIDE_WORKING_HOURS: dict[Scenario, float] = {
    scenarios.inbound_direct: 4,
    scenarios.forwarded_unanswered: 4,
    scenarios.outbound_answered: 2,
    scenarios.no_answer: 1,
    scenarios.missed_nobody_answers: 5,
    scenarios.missed_in_menu: 4,
    scenarios.missed_offline: 5,
    scenarios.unknown_error: 0.1,
}


def live_reports(company: Company, tenant: str, seed: str, start: datetime, per_second: float) -> Iterator[Report]:
    """Reports of an endless series of calls at a steady rate from `start`, as in working hours."""
    rng = Random(seed)
    run = _run_id("live", company, tenant, seed, start, per_second)
    day = Day(company, tenant, run, rng, choose=partial(_choose, WORKING_HOURS))
    return merge_by_time(day.calls(steady_arrivals(rng, start, per_second)))


def past_reports(company: Company, tenant: str, seed: str, start: datetime, hours: int, calls: int) -> Iterator[Report]:
    """Reports of exactly `calls` calls with a daily pattern, all ended within the period."""
    rng = Random(seed)
    run = _run_id("past", company, tenant, seed, start, hours, calls)
    day = Day(company, tenant, run, rng, choose=_choose_by_hour, until=start + timedelta(hours=hours))
    return merge_by_time(day.calls(arrivals_of_period(rng, start, hours, calls)))


def merge_by_time(calls: Iterable[list[Report]]) -> Iterator[Report]:
    """Merge the reports of calls (sorted by start) by time; only calls in progress are held in memory."""
    waiting: list[tuple[datetime, int, Report]] = []
    number = count()
    for reports in calls:
        while waiting and waiting[0][0] <= reports[0].at:
            yield heappop(waiting)[2]
        for report in reports:
            heappush(waiting, (report.at, next(number), report))
    while waiting:
        yield heappop(waiting)[2]


@dataclass
class Day:
    """Generates calls one after another: free staff take them, and some missed callers are called back."""

    company: Company
    tenant: str
    run: str
    rng: Random
    choose: Callable[[Random, datetime], Scenario]
    until: datetime | None = None
    busy: dict[str, datetime] = field(default_factory=dict)
    scheduled_callbacks: list[tuple[datetime, str]] = field(default_factory=list)

    def calls(self, arrivals: Iterable[datetime]) -> Iterator[list[Report]]:
        keys = (f"{self.run}-{number:06}" for number in count(1))
        for at in arrivals:
            context = ScenarioContext(self.tenant, self.company, self._free(at), self.rng, keys, at)
            reports = self._fit_into_period(self._next_call(context))
            self._mark_busy(reports)
            yield reports

    def _next_call(self, context: ScenarioContext) -> list[Report]:
        if self.scheduled_callbacks and self.scheduled_callbacks[0][0] <= context.at:
            return scenarios.call_back(context, heappop(self.scheduled_callbacks)[1])
        scenario = self.choose(self.rng, context.at)
        reports = scenario(context)
        if scenario in MISSED_SCENARIOS:
            self._schedule_callback(reports)
        return reports

    def _schedule_callback(self, missed: list[Report]) -> None:
        number = missed[0].data["caller"]
        if number == WITHHELD or self.rng.random() > CALLED_BACK_SHARE:
            return
        minutes = exp(self.rng.gauss(2, 1))
        e164 = f"+{number}" if number.startswith("380") else number
        heappush(self.scheduled_callbacks, (missed[-1].at + timedelta(minutes=minutes), e164))

    def _fit_into_period(self, reports: list[Report]) -> list[Report]:
        start, end = reports[0].at, reports[-1].at
        if self.until is None or end <= self.until:
            return reports
        factor = (self.until - start) / (end - start)
        return [report.compressed(start, factor) for report in reports]

    def _free(self, at: datetime) -> list[Person]:
        free = [person for person in self.company.staff if self.busy.get(person.line, at) <= at]
        return free if len(free) >= MIN_FREE_STAFF else list(self.company.staff)

    def _mark_busy(self, reports: list[Report]) -> None:
        placed, end = reports[0].data, reports[-1].at
        talking = [report.data["party"] for report in reports if report.type == "answered"]
        for line in (*talking, placed["caller"]):
            if line in self.busy or any(person.line == line for person in self.company.staff):
                self.busy[line] = end


def _choose(weights: dict[Scenario, float], rng: Random, at: datetime) -> Scenario:
    return rng.choices(list(weights), list(weights.values()))[0]


def _choose_by_hour(rng: Random, at: datetime) -> Scenario:
    return _choose(WORKING_HOURS if is_working_hour(at) else OUTSIDE_WORKING_HOURS, rng, at)


def _run_id(*inputs: object) -> str:
    """An id made of all inputs of a run, so that different runs never reuse a call key."""
    return sha256(repr(inputs).encode()).hexdigest()[:12]
