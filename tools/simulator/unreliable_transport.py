"""The road between exchange and journal: some reports arrive twice, some late."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from tools.simulator.reports import Report

LONGEST_DELAY = 10.0


@dataclass
class UnreliableRoad:
    """Loses nothing."""

    dice: Random
    duplicates: float
    disorder: float
    repeated: int = 0
    held: list[tuple[datetime, int, Report]] = field(default_factory=list)
    seen: int = 0

    def carry(self, reports: Iterable[Report]) -> list[Report]:
        """What arrives by the time of the last of these reports."""
        return [arrived for report in reports for arrived in self._carry_one(report)]

    def rest(self) -> list[Report]:
        """What is still on the road."""
        return [heappop(self.held)[2] for _ in range(len(self.held))]

    def _carry_one(self, report: Report) -> Iterator[Report]:
        while self.held and self.held[0][0] <= report.at:
            yield heappop(self.held)[2]
        if self.dice.random() < self.duplicates:
            self.repeated += 1
            self._hold(report)
        if self.dice.random() < self.disorder:
            self._hold(report)
        else:
            yield report

    def _hold(self, report: Report) -> None:
        self.seen += 1
        delay = timedelta(seconds=self.dice.uniform(0.2, LONGEST_DELAY))
        heappush(self.held, (report.at + delay, self.seen, report))
