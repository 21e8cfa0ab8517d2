"""Everything a scenario needs: the company, its free staff, the random generator, and the start of the call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from random import Random

from tools.simulator import numbers
from tools.simulator.demo_company import GROUPS, Company, Person
from tools.simulator.reports import CallScript, Report

MAX_TALK_SECONDS = 35 * 60
RECORDED_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class ScenarioContext:
    tenant: str
    company: Company
    staff: Sequence[Person]
    rng: Random
    keys: Iterator[str]
    at: datetime

    def inbound(self) -> CallScript:
        """An outside caller dials one of the company's lines."""
        line = self.rng.choices(self.company.lines, (6, 3, 2))[0]
        number, name = self._caller()
        return self._script().placed("inbound", number, line, caller_name=name, line=line)

    def outbound(self, number: str = "") -> CallScript:
        """An employee dials an outside number."""
        dialled = numbers.as_dialled(self.rng, number or self._outside_party()[0])
        caller = self.employee()
        line = self.rng.choice((self.company.lines[0], self.company.lines[2]))
        return self._script().placed("outbound", caller.line, dialled, caller_name=caller.name, line=line)

    def internal(self) -> CallScript:
        caller, callee = self.rng.sample(self.staff, 2)
        return self._script().placed("internal", caller.line, callee.line, caller_name=caller.name)

    def employee(self) -> Person:
        return self.rng.choice(self.staff)

    def some_operators(self, minimum: int, maximum: int) -> list[str]:
        """The lines of several operators, in the order a ring group rings them."""
        lines = [person.line for person in self.staff if person.role == "operator"]
        lines = lines or [person.line for person in self.staff]
        return self.rng.sample(lines, min(self.rng.randint(minimum, maximum), len(lines)))

    def group(self) -> str:
        return self.rng.choice(GROUPS)

    def engineer(self) -> str:
        return self.rng.choice(self.company.engineers)

    def talk(self, call: CallScript, party: str) -> list[Report]:
        """`party` answers, both talk, one of them hangs up; some calls are recorded."""
        call.answered(party)
        began = call.at
        length = min(exp(self.rng.gauss(4.5, 0.9)), MAX_TALK_SECONDS)
        call.after(length, length).ended(self.rng.choice(("caller", "callee")), cause=16)
        if self.rng.random() < RECORDED_SHARE:
            call.after(0.2, 2).recorded(began)
        return call.reports

    def _script(self) -> CallScript:
        return CallScript(self.tenant, next(self.keys), self.at, self.rng)

    def _caller(self) -> tuple[str, str]:
        if self.rng.random() < 0.02:
            return numbers.WITHHELD, ""
        number, name = self._outside_party()
        return numbers.as_presented(self.rng, number), name if self.rng.random() < 0.15 else ""

    def _outside_party(self) -> tuple[str, str]:
        chance = self.rng.random()
        if chance < 0.02:
            return numbers.foreign(self.rng), ""
        if chance < 0.3:
            return numbers.mobile(self.rng), ""
        customer = self.rng.choice(self.company.customers)
        return customer.number, customer.name
