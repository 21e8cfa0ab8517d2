"""The exchange at work: bursts of reports go over the road to the journal, and are counted."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.simulator.display import Counts, Display
from tools.simulator.gateway import Gateway
from tools.simulator.live import CallsInProgress
from tools.simulator.reports import Report
from tools.simulator.unreliable_transport import UnreliableRoad


@dataclass
class Exchange:
    gateway: Gateway
    road: UnreliableRoad
    display: Display
    leave_live: bool = False
    counts: Counts = field(default_factory=Counts)
    in_progress: CallsInProgress = field(default_factory=CallsInProgress)

    def work(self, bursts: Iterable[list[Report]]) -> Counts:
        """Send the bursts; when there are no more, deliver what is late and hang up what is live."""
        last: list[Report] = []
        for burst in bursts:
            self._send(burst, self.road.carry(burst))
            last = burst
        self._send([], self.road.rest())
        if last and not self.leave_live:
            hung_up = self.in_progress.hang_up(last[-1].at)
            self._send(hung_up, hung_up)
        return self.counts

    def _send(self, said: list[Report], arriving: list[Report]) -> None:
        self.gateway.send(arriving)
        self.in_progress.hear(said)
        self.counts.calls += sum(report.type == "placed" for report in said)
        self.counts.reports += len(arriving)
        self.counts.repeated = self.road.repeated
        self.counts.in_progress = len(self.in_progress)
        self.display.show(self.counts)
