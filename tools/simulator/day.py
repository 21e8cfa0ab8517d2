"""What kind of call it is, and everything the exchange says about all of them, in order of time."""

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
from tools.simulator.scenario_context import Scene
from tools.simulator.scenarios import Scenario

CALLED_BACK_SHARE = 0.45
FEWEST_FREE = 5

MISSED = (
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
CLOSED: dict[Scenario, float] = {
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
    """Calls at a steady rate from `start` on, for ever, at any hour a working day."""
    dice = Random(seed)
    run = _name_of_run("live", company, tenant, seed, start, per_second)
    day = Day(company, tenant, run, dice, choose=partial(_choose, WORKING_HOURS))
    return in_order(day.calls(steady_arrivals(dice, start, per_second)))


def past_reports(company: Company, tenant: str, seed: str, start: datetime, hours: int, calls: int) -> Iterator[Report]:
    """Exactly `calls` calls in the rhythm of the day, all of them over when the period ends."""
    dice = Random(seed)
    run = _name_of_run("past", company, tenant, seed, start, hours, calls)
    day = Day(company, tenant, run, dice, choose=_choose_by_hour, until=start + timedelta(hours=hours))
    return in_order(day.calls(arrivals_of_period(dice, start, hours, calls)))


def in_order(calls: Iterable[list[Report]]) -> Iterator[Report]:
    """The reports of calls that begin one after another, in order of time; keeps only the calls in progress."""
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
    """One call after another: who is free takes it, and missed customers are called back."""

    company: Company
    tenant: str
    run: str
    dice: Random
    choose: Callable[[Random, datetime], Scenario]
    until: datetime | None = None
    busy: dict[str, datetime] = field(default_factory=dict)
    promises: list[tuple[datetime, str]] = field(default_factory=list)

    def calls(self, arrivals: Iterable[datetime]) -> Iterator[list[Report]]:
        keys = (f"{self.run}-{number:06}" for number in count(1))
        for at in arrivals:
            scene = Scene(self.tenant, self.company, self._free(at), self.dice, keys, at)
            reports = self._fitted(self._next_call(scene))
            self._occupy(reports)
            yield reports

    def _next_call(self, scene: Scene) -> list[Report]:
        if self.promises and self.promises[0][0] <= scene.at:
            return scenarios.call_back(scene, heappop(self.promises)[1])
        scenario = self.choose(self.dice, scene.at)
        reports = scenario(scene)
        if scenario in MISSED:
            self._promise(reports)
        return reports

    def _promise(self, missed: list[Report]) -> None:
        number = missed[0].data["caller"]
        if number == WITHHELD or self.dice.random() > CALLED_BACK_SHARE:
            return
        minutes = exp(self.dice.gauss(2, 1))
        e164 = f"+{number}" if number.startswith("380") else number
        heappush(self.promises, (missed[-1].at + timedelta(minutes=minutes), e164))

    def _fitted(self, reports: list[Report]) -> list[Report]:
        start, end = reports[0].at, reports[-1].at
        if self.until is None or end <= self.until:
            return reports
        factor = (self.until - start) / (end - start)
        return [report.squeezed(start, factor) for report in reports]

    def _free(self, at: datetime) -> list[Person]:
        free = [person for person in self.company.staff if self.busy.get(person.line, at) <= at]
        return free if len(free) >= FEWEST_FREE else list(self.company.staff)

    def _occupy(self, reports: list[Report]) -> None:
        placed, end = reports[0].data, reports[-1].at
        talking = [report.data["party"] for report in reports if report.type == "answered"]
        for line in (*talking, placed["caller"]):
            if line in self.busy or any(person.line == line for person in self.company.staff):
                self.busy[line] = end


def _choose(mixture: dict[Scenario, float], dice: Random, at: datetime) -> Scenario:
    return dice.choices(list(mixture), list(mixture.values()))[0]


def _choose_by_hour(dice: Random, at: datetime) -> Scenario:
    return _choose(WORKING_HOURS if is_working_hour(at) else CLOSED, dice, at)


def _name_of_run(*inputs: object) -> str:
    """Keys of calls are never used again for other calls: whatever shapes a run is in its name."""
    return sha256(repr(inputs).encode()).hexdigest()[:12]
