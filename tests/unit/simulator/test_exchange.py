"""The exchange at work: it waits for what happens, ends what it began, and keeps little in mind."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import pytest

from shared.contracts.values import Phase
from tests.unit.simulator.call_states import call_states
from tools.simulator.day import live_reports, past_reports
from tools.simulator.demo_company import demo_company
from tools.simulator.display import Counts, PlainDisplay
from tools.simulator.exchange import Exchange
from tools.simulator.live import MAX_REPORTS_PER_BURST, bursts_as_they_happen, bursts_at_full_speed
from tools.simulator.reports import Report
from tools.simulator.stop import Stop
from tools.simulator.unreliable_transport import UnreliableTransport

COMPANY = demo_company()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Letterbox:
    """Takes every report and remembers when it came."""

    now: datetime = NOON
    came: list[tuple[datetime, Report]] = field(default_factory=list)

    def send(self, reports: Sequence[Report]) -> None:
        self.came += [(self.now, report) for report in reports]


class FastTime(Stop):
    """Time that passes only while somebody waits, and ends after a while."""

    def __init__(self, box: Letterbox, ends_after: timedelta) -> None:
        super().__init__()
        self.box = box
        self.until = box.now + ends_after

    def wait(self, seconds: float) -> bool:
        self.box.now = min(self.box.now + timedelta(seconds=seconds), self.until)
        self.requested = self.box.now == self.until
        return self.requested


class Silence:
    def print_line(self, text: str) -> None:
        raise AssertionError(text)

    def update(self, counts: Counts) -> None:
        pass


def live_for(seconds: float, leave_live: bool = False, disorder: float = 0.05) -> tuple[Letterbox, Counts]:
    box = Letterbox()
    time = FastTime(box, timedelta(seconds=seconds))
    reports = live_reports(COMPANY, "oselia", "1", NOON, 2)
    exchange = Exchange(box, UnreliableTransport(Random(1), 0.02, disorder), Silence(), leave_live)
    return box, exchange.send_all(bursts_as_they_happen(reports, time, lambda: box.now))


def test_a_live_report_is_sent_when_it_happens():
    box, _ = live_for(300, disorder=0)
    late = [(now - report.at).total_seconds() for now, report in box.came]
    assert min(late) >= 0
    assert sorted(late)[len(late) // 2] < 0.001


def test_stopping_ends_the_calls_in_progress():
    box, counts = live_for(120)
    calls = call_states(report for _, report in box.came)
    assert len(calls) == counts.calls
    assert all(call.phase is Phase.ENDED for call in calls.values())


def test_stopping_can_leave_the_calls_in_progress():
    box, _ = live_for(120, leave_live=True)
    assert any(call.phase is not Phase.ENDED for call in call_states(report for _, report in box.came).values())


def test_a_past_period_is_sent_in_full_batches():
    box, told = Letterbox(), list(past_reports(COMPANY, "oselia", "1", NOON, 24, 1000))
    bursts = list(bursts_at_full_speed(iter(told), Stop()))
    assert [len(burst) for burst in bursts[:-1]] == [MAX_REPORTS_PER_BURST] * (len(bursts) - 1)
    counts = Exchange(box, UnreliableTransport(Random(1), 0.02, 0.05), Silence()).send_all(bursts)
    assert {report.report_id for _, report in box.came} == {report.report_id for report in told}
    assert counts.calls == 1000
    assert counts.reports == len(box.came) == len(told) + counts.repeated


def test_a_month_needs_no_more_memory_than_a_day():
    box, most = Letterbox(), 0
    exchange = Exchange(box, UnreliableTransport(Random(1), 0.02, 0.05), Silence())
    reports = past_reports(COMPANY, "oselia", "1", NOON, 30 * 24, 5000)

    def watched():
        nonlocal most
        for burst in bursts_at_full_speed(reports, Stop()):
            most = max(most, len(exchange.in_progress) + len(exchange.transport.delayed))
            box.came.clear()
            yield burst

    exchange.send_all(watched())
    assert most < 50
    assert not exchange.in_progress


def test_the_first_signal_stops_and_the_second_kills():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    stop = Stop()
    try:
        stop.install_signal_handlers()
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
        assert stop.wait(60)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


def test_without_a_terminal_progress_is_printed_every_few_seconds(monkeypatch, capsys):
    seconds = iter([0, 0, 0, 2, 2, 6, 6, 6])
    monkeypatch.setattr("tools.simulator.display.monotonic", lambda: next(seconds))
    lines = PlainDisplay(total=1000)
    for calls in (0, 100, 300):
        lines.update(Counts(calls=calls, reports=calls * 5))
    said = "300 calls (50.0/s) · 1500 reports (250/s) · 0 twice · 30%, about 14 s left\n"
    assert capsys.readouterr().out == said


def test_the_stream_of_a_live_exchange_never_ends():
    assert len(list(islice(live_reports(COMPANY, "oselia", "1", NOON, 100), 10_000))) == 10_000


@pytest.mark.parametrize("stopped", [True, False])
def test_an_exchange_stopped_before_its_start_sends_nothing(stopped):
    stop = Stop()
    stop.requested = stopped
    bursts = bursts_at_full_speed(past_reports(COMPANY, "oselia", "1", NOON, 1, 5), stop)
    assert bool(list(bursts)) is not stopped
