"""Simulate an exchange: generate realistic calls and report them to the journal.

python -m tools.simulator --rate 0.5              calls in real time until it is stopped
python -m tools.simulator --days 30               the last thirty days at full speed
python -m tools.simulator --days 30 --rate 0.5    first the past, then real time
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil, inf
from random import Random

from tools import demonstration
from tools.simulator.call_volume import CALLS_OF_A_WEEKDAY, KYIV, expected_call_count
from tools.simulator.comment_writer import CommentWriter
from tools.simulator.day import live_reports, past_reports
from tools.simulator.demo_company import Company, demo_company
from tools.simulator.display import display
from tools.simulator.exchange import Exchange
from tools.simulator.gateway import Gateway, Refused, Undelivered
from tools.simulator.live import bursts_as_they_happen, bursts_at_full_speed
from tools.simulator.recordings import RecordingUploader
from tools.simulator.reports import Report
from tools.simulator.stop import Stop
from tools.simulator.unreliable_transport import UnreliableTransport

USUAL_RATE = 1.0


def main() -> int:
    arguments = _read_arguments()
    stop = Stop()
    stop.install_signal_handlers()
    try:
        simulator = Simulator(arguments, _demonstration(), stop)
        if arguments.hours:
            simulator.run_past()
        if arguments.rate and not stop.requested:
            simulator.run_live()
    except (Refused, Undelivered, NoDemonstration) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class NoDemonstration(Exception):
    """No demonstration system found; start it with `make up` first."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class Simulator:
    """One run of the simulator with the given command-line arguments."""

    def __init__(self, arguments: argparse.Namespace, demo: Mapping[str, str], stop: Stop) -> None:
        self.arguments = arguments
        self.demo = demo
        self.stop = stop
        self.tenant: str = arguments.tenant or demo["TENANT"]
        self.company = _company(demo)

    def run_past(self) -> None:
        hours = self.arguments.hours
        start = self.arguments.start or datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)
        calls = self.arguments.calls or expected_call_count(start, hours)
        print(f"{calls} calls from {start.astimezone(KYIV):%d.%m.%Y %H:%M}, seed {self.arguments.seed}", flush=True)
        reports = past_reports(self.company, self.tenant, self.arguments.seed, start, hours, calls)
        self._send(bursts_at_full_speed(reports, self.stop), calls)

    def run_live(self) -> None:
        print(f"{self.arguments.rate:g} calls a second until stopped, seed {self.arguments.seed}", flush=True)
        reports = live_reports(self.company, self.tenant, self.arguments.seed, datetime.now(UTC), self.arguments.rate)
        self._send(bursts_as_they_happen(reports, self.stop), None)

    def _send(self, bursts: Iterable[list[Report]], total: int | None) -> None:
        transport = UnreliableTransport(
            Random(f"transport {self.arguments.seed}"), self.arguments.duplicates, self.arguments.disorder
        )
        if self.arguments.comments and self.tenant == self.demo["TENANT"]:
            rng = Random(f"comments {self.arguments.seed}")
            bursts = CommentWriter(self.demo, self.arguments.comments, rng, self.stop).watch(bursts)
        if self.arguments.recordings:
            rng = Random(f"recordings {self.arguments.seed}")
            share = self.arguments.recordings
            bursts = RecordingUploader(self.demo["BASE_URL"], self._key(), share, rng, self.stop).watch(bursts)
        with display(total) as progress:
            gateway = Gateway(self.demo["BASE_URL"], self._key(), self.stop, progress.print_line)
            counts = Exchange(gateway, transport, progress, self.arguments.leave_live).send_all(bursts)
        print(f"{counts.calls} calls, {counts.reports} reports, {counts.repeated} of them twice", flush=True)

    def _key(self) -> str:
        other = self.tenant == self.demo.get("OTHER_TENANT")
        return self.demo["OTHER_INGEST_KEY" if other else "INGEST_KEY"]


def _demonstration() -> dict[str, str]:
    demo = demonstration.read(demonstration.demo_env())
    if not {"BASE_URL", "TENANT", "INGEST_KEY"} <= demo.keys():
        raise NoDemonstration
    return demo


def _company(demo: Mapping[str, str]) -> Company:
    lines = ("OPERATOR_LINE", "OPERATOR2_LINE", "ACCOUNTANT_LINE")
    return demo_company(*(demo.get(name, usual) for name, usual in zip(lines, ("101", "102", "120"), strict=True)))


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=_positive, metavar="CALLS_PER_SECOND", help="calls in real time")
    parser.add_argument("--days", type=_positive, help="a past period at full speed")
    parser.add_argument("--calls", type=int, help="number of calls in the past period")
    parser.add_argument("--start", type=_instant, help="start of the past period (default: so that it ends now)")
    parser.add_argument("--seed", default="1", help="equal seed and start give equal reports (1)")
    parser.add_argument("--duplicates", type=_share, default=0.02, help="share of reports sent twice (0.02)")
    parser.add_argument("--comments", type=_share, default=0.0, help="share of calls that get a comment (0)")
    parser.add_argument("--recordings", type=_share, default=0.0, help="share of answered calls that are recorded (0)")
    parser.add_argument("--disorder", type=_share, default=0.05, help="share of reports sent late (0.05)")
    parser.add_argument("--tenant", help="company whose exchange is simulated (default: the demonstration's)")
    parser.add_argument("--leave-live", action="store_true", help="when stopped, do not end the calls in progress")
    return _validated(parser.parse_args(), parser)


def _validated(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> argparse.Namespace:
    if arguments.calls is not None and arguments.calls < 1:
        parser.error("--calls must be at least 1")
    days = arguments.days or ceil((arguments.calls or 0) / CALLS_OF_A_WEEKDAY)
    arguments.hours = ceil(days * 24)
    if not arguments.hours and not arguments.rate:
        arguments.rate = USUAL_RATE
    if arguments.start and not arguments.hours:
        parser.error("--start needs --days or --calls")
    if arguments.start and arguments.start + timedelta(hours=arguments.hours) > datetime.now(UTC):
        parser.error("the period must be over")
    return arguments


def _positive(text: str) -> float:
    return _number(text, "must be a number above 0", lambda number: 0 < number < inf)


def _share(text: str) -> float:
    return _number(text, "must be a number from 0 to 1", lambda number: 0 <= number <= 1)


def _number(text: str, rule: str, holds: Callable[[float], bool]) -> float:
    try:
        if holds(number := float(text)):
            return number
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(rule)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a date or an instant") from error
    return (at if at.tzinfo else at.replace(tzinfo=KYIV)).astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
