"""Real time: a report is sent when it happens, and a stopped exchange hangs up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.simulator.reports import Report
from tools.simulator.stop import Stop

BURST = 450
"""Leaves room in one request for what is sent twice."""


def bursts_as_they_happen(
    reports: Iterator[Report], stop: Stop, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[list[Report]]:
    """What has happened since the last look, as soon as it has, until stopped."""
    burst: list[Report] = []
    for report in reports:
        ahead = (report.at - now()).total_seconds()
        if burst and (ahead > 0 or len(burst) == BURST):
            yield burst
            burst = []
            ahead = (report.at - now()).total_seconds()
        if stop.wait(ahead) if ahead > 0 else stop.asked:
            return
        burst.append(report)


def bursts_at_full_speed(reports: Iterator[Report], stop: Stop) -> Iterator[list[Report]]:
    burst: list[Report] = []
    for report in reports:
        if stop.asked:
            return
        burst.append(report)
        if len(burst) == BURST:
            yield burst
            burst = []
    if burst:
        yield burst


@dataclass
class CallsInProgress:
    """The calls that have begun and not ended."""

    tenants: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tenants)

    def hear(self, reports: list[Report]) -> None:
        for report in reports:
            if report.type == "placed":
                self.tenants[report.call] = report.tenant
            elif report.type == "ended":
                self.tenants.pop(report.call, None)

    def hang_up(self, at: datetime) -> list[Report]:
        """Every caller hangs up at once."""
        data = {"by": "caller", "cause": 16, "sip": None}
        reports = [Report(f"{call}.hangup", tenant, call, "ended", at, data) for call, tenant in self.tenants.items()]
        self.tenants.clear()
        return reports
