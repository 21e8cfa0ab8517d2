"""The transport repeats and delays reports, and loses none."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tools.simulator.reports import Report
from tools.simulator.unreliable_transport import MAX_DELAY, UnreliableTransport

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
shares = st.floats(0, 1)


def said(number: int, second: float) -> Report:
    return Report(f"r{number}", "oselia", "call-1", "ringing", NOON + timedelta(seconds=second), {"party": "101"})


def every_second(length: int) -> list[Report]:
    return [said(number, number) for number in range(length)]


def carried(transport: UnreliableTransport, reports: list[Report]) -> list[Report]:
    return [*transport.deliver(reports), *transport.drain()]


@given(st.lists(st.floats(0, 1000)), st.integers(), shares, shares)
def test_the_transport_loses_no_report(seconds, seed, duplicates, disorder):
    reports = [said(number, second) for number, second in enumerate(sorted(seconds))]
    arrived = carried(UnreliableTransport(Random(seed), duplicates, disorder), reports)
    assert {report.report_id: report for report in arrived} == {report.report_id: report for report in reports}


def test_a_reliable_transport_changes_nothing():
    reports = every_second(100)
    assert carried(UnreliableTransport(Random(1), 0, 0), reports) == reports


def test_the_share_of_duplicates_is_as_configured():
    transport = UnreliableTransport(Random(1), duplicates=0.1, disorder=0)
    arrived = Counter(report.report_id for report in carried(transport, every_second(2000)))
    assert set(arrived.values()) == {1, 2}
    assert sum(times == 2 for times in arrived.values()) == transport.repeated
    assert 150 < transport.repeated < 250


def test_a_delayed_report_is_late_by_at_most_the_limit():
    transport = UnreliableTransport(Random(1), duplicates=0, disorder=0.1)
    arrived = carried(transport, every_second(500))
    latest, behind = NOON, []
    for report in arrived:
        latest = max(latest, report.at)
        behind.append((latest - report.at).total_seconds())
    assert sum(seconds > 0 for seconds in behind) > 30
    assert max(behind) <= MAX_DELAY


def test_the_transport_holds_only_delayed_reports():
    transport = UnreliableTransport(Random(1), duplicates=0.02, disorder=0.05)
    longest = 0
    for report in every_second(5000):
        transport.deliver([report])
        longest = max(longest, len(transport.delayed))
    assert longest < 20
