"""Real time: send each report when it is due, and end the calls in progress when stopped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.simulator.reports import Report
from tools.simulator.stop import Stop

MAX_REPORTS_PER_BURST = 450
"""Reports per burst; below the request limit, so that duplicates fit too."""


def bursts_as_they_happen(
    reports: Iterator[Report], stop: Stop, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[list[Report]]:
    """Yield the reports that became due since the last burst, until stopped."""
    burst: list[Report] = []
    for report in reports:
        ahead = (report.at - now()).total_seconds()
        if burst and (ahead > 0 or len(burst) == MAX_REPORTS_PER_BURST):
            yield burst
            burst = []
            ahead = (report.at - now()).total_seconds()
        if stop.wait(ahead) if ahead > 0 else stop.requested:
            return
        burst.append(report)


def bursts_at_full_speed(reports: Iterator[Report], stop: Stop) -> Iterator[list[Report]]:
    burst: list[Report] = []
    for report in reports:
        if stop.requested:
            return
        burst.append(report)
        if len(burst) == MAX_REPORTS_PER_BURST:
            yield burst
            burst = []
    if burst:
        yield burst


@dataclass
class CallsInProgress:
    """Calls that have started and not ended."""

    tenants: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tenants)

    def observe(self, reports: list[Report]) -> None:
        for report in reports:
            if report.type == "placed":
                self.tenants[report.call] = report.tenant
            elif report.type == "ended":
                self.tenants.pop(report.call, None)

    def hang_up(self, at: datetime) -> list[Report]:
        """An `ended` report for every call in progress."""
        data = {"by": "caller", "cause": 16, "sip": None}
        reports = [Report(f"{call}.hangup", tenant, call, "ended", at, data) for call, tenant in self.tenants.items()]
        self.tenants.clear()
        return reports
