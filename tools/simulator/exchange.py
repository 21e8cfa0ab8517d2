"""The simulated exchange: send bursts of reports to the journal through a transport, and count them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.simulator.display import Counts, Display
from tools.simulator.gateway import Gateway
from tools.simulator.live import CallsInProgress
from tools.simulator.reports import Report
from tools.simulator.unreliable_transport import UnreliableTransport


@dataclass
class Exchange:
    gateway: Gateway
    transport: UnreliableTransport
    display: Display
    leave_live: bool = False
    counts: Counts = field(default_factory=Counts)
    in_progress: CallsInProgress = field(default_factory=CallsInProgress)

    def send_all(self, bursts: Iterable[list[Report]]) -> Counts:
        """Send all bursts; then deliver delayed reports and end the calls in progress."""
        last: list[Report] = []
        for burst in bursts:
            self._send(burst, self.transport.deliver(burst))
            last = burst
        self._send([], self.transport.drain())
        if last and not self.leave_live:
            hung_up = self.in_progress.hang_up(last[-1].at)
            self._send(hung_up, hung_up)
        return self.counts

    def _send(self, reported: list[Report], arriving: list[Report]) -> None:
        self.gateway.send(arriving)
        self.in_progress.observe(reported)
        self.counts.calls += sum(report.type == "placed" for report in reported)
        self.counts.reports += len(arriving)
        self.counts.repeated = self.transport.repeated
        self.counts.in_progress = len(self.in_progress)
        self.display.update(self.counts)
