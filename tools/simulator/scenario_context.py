"""What a scenario has at hand: the company, who is free, the dice, and the instant at which the call begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from random import Random

from tools.simulator import numbers
from tools.simulator.demo_company import GROUPS, Company, Person
from tools.simulator.reports import Report, Story

LONGEST_TALK = 35 * 60
RECORDED_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Scene:
    tenant: str
    company: Company
    staff: Sequence[Person]
    dice: Random
    keys: Iterator[str]
    at: datetime

    def inbound(self) -> Story:
        """Somebody outside dials one of the company's lines."""
        line = self.dice.choices(self.company.lines, (6, 3, 2))[0]
        number, name = self._caller()
        return self._story().placed("inbound", number, line, caller_name=name, line=line)

    def outbound(self, number: str = "") -> Story:
        """Somebody of the company dials a number outside."""
        dialled = numbers.as_dialled(self.dice, number or self._somebody_outside()[0])
        caller = self.employee()
        line = self.dice.choice((self.company.lines[0], self.company.lines[2]))
        return self._story().placed("outbound", caller.line, dialled, caller_name=caller.name, line=line)

    def internal(self) -> Story:
        caller, callee = self.dice.sample(self.staff, 2)
        return self._story().placed("internal", caller.line, callee.line, caller_name=caller.name)

    def employee(self) -> Person:
        return self.dice.choice(self.staff)

    def some_operators(self, least: int, most: int) -> list[str]:
        """The lines of several operators, as a ring group tries them."""
        lines = [person.line for person in self.staff if person.role == "operator"]
        lines = lines or [person.line for person in self.staff]
        return self.dice.sample(lines, min(self.dice.randint(least, most), len(lines)))

    def group(self) -> str:
        return self.dice.choice(GROUPS)

    def engineer(self) -> str:
        return self.dice.choice(self.company.engineers)

    def talk(self, call: Story, party: str) -> list[Report]:
        """`party` picks up, they talk, one of the two hangs up; some of it is recorded."""
        call.answered(party)
        began = call.at
        length = min(exp(self.dice.gauss(4.5, 0.9)), LONGEST_TALK)
        call.after(length, length).ended(self.dice.choice(("caller", "callee")), cause=16)
        if self.dice.random() < RECORDED_SHARE:
            call.after(0.2, 2).recorded(began)
        return call.reports

    def _story(self) -> Story:
        return Story(self.tenant, next(self.keys), self.at, self.dice)

    def _caller(self) -> tuple[str, str]:
        if self.dice.random() < 0.02:
            return numbers.WITHHELD, ""
        number, name = self._somebody_outside()
        return numbers.as_presented(self.dice, number), name if self.dice.random() < 0.15 else ""

    def _somebody_outside(self) -> tuple[str, str]:
        chance = self.dice.random()
        if chance < 0.02:
            return numbers.foreign(self.dice), ""
        if chance < 0.3:
            return numbers.mobile(self.dice), ""
        customer = self.dice.choice(self.company.customers)
        return customer.number, customer.name
