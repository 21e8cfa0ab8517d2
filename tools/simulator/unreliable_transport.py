"""A transport between exchange and journal that duplicates and delays some reports."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from tools.simulator.reports import Report

MAX_DELAY = 10.0


@dataclass
class UnreliableTransport:
    """Delivers every report at least once. `duplicates` and `disorder` are shares from 0 to 1."""

    rng: Random
    duplicates: float
    disorder: float
    repeated: int = 0
    delayed: list[tuple[datetime, int, Report]] = field(default_factory=list)
    seen: int = 0

    def deliver(self, reports: Iterable[Report]) -> list[Report]:
        """The reports that arrive up to the time of the last of these."""
        return [arrived for report in reports for arrived in self._deliver(report)]

    def drain(self) -> list[Report]:
        """The reports that have not arrived yet."""
        return [heappop(self.delayed)[2] for _ in range(len(self.delayed))]

    def _deliver(self, report: Report) -> Iterator[Report]:
        while self.delayed and self.delayed[0][0] <= report.at:
            yield heappop(self.delayed)[2]
        if self.rng.random() < self.duplicates:
            self.repeated += 1
            self._delay(report)
        if self.rng.random() < self.disorder:
            self._delay(report)
        else:
            yield report

    def _delay(self, report: Report) -> None:
        self.seen += 1
        delay = timedelta(seconds=self.rng.uniform(0.2, MAX_DELAY))
        heappush(self.delayed, (report.at + delay, self.seen, report))
