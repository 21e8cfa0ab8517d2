"""An exchange that makes a believable day of calls and reports them to the journal.

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
from tools.simulator.call_volume import CALLS_OF_A_WEEKDAY, KYIV, usual_calls
from tools.simulator.comment_writer import Remarks
from tools.simulator.day import live_reports, past_reports
from tools.simulator.demo_company import Company, found_company
from tools.simulator.display import display
from tools.simulator.exchange import Exchange
from tools.simulator.gateway import Gateway, Refused, Undelivered
from tools.simulator.live import bursts_as_they_happen, bursts_at_full_speed
from tools.simulator.recordings import Recordings
from tools.simulator.reports import Report
from tools.simulator.stop import Stop
from tools.simulator.unreliable_transport import UnreliableRoad

USUAL_RATE = 1.0


def main() -> int:
    asked = _read_arguments()
    stop = Stop()
    stop.listen()
    try:
        simulator = Simulator(asked, _demonstration(), stop)
        if asked.hours:
            simulator.make_past()
        if asked.rate and not stop.asked:
            simulator.make_live()
    except (Refused, Undelivered, NotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class NotStarted(Exception):
    """There is no demonstration system here: start it with `make up` first."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class Simulator:
    """One run of the simulator, as it was asked for."""

    def __init__(self, asked: argparse.Namespace, demo: Mapping[str, str], stop: Stop) -> None:
        self.asked = asked
        self.demo = demo
        self.stop = stop
        self.tenant: str = asked.tenant or demo["TENANT"]
        self.company = _company(demo)

    def make_past(self) -> None:
        hours = self.asked.hours
        start = self.asked.start or datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)
        calls = self.asked.calls or usual_calls(start, hours)
        print(f"{calls} calls from {start.astimezone(KYIV):%d.%m.%Y %H:%M}, seed {self.asked.seed}", flush=True)
        reports = past_reports(self.company, self.tenant, self.asked.seed, start, hours, calls)
        self._work(bursts_at_full_speed(reports, self.stop), calls)

    def make_live(self) -> None:
        print(f"{self.asked.rate:g} calls a second until stopped, seed {self.asked.seed}", flush=True)
        reports = live_reports(self.company, self.tenant, self.asked.seed, datetime.now(UTC), self.asked.rate)
        self._work(bursts_as_they_happen(reports, self.stop), None)

    def _work(self, bursts: Iterable[list[Report]], total: int | None) -> None:
        road = UnreliableRoad(Random(f"road {self.asked.seed}"), self.asked.duplicates, self.asked.disorder)
        if self.asked.comments and self.tenant == self.demo["TENANT"]:
            dice = Random(f"comments {self.asked.seed}")
            bursts = Remarks(self.demo, self.asked.comments, dice, self.stop).on(bursts)
        if self.asked.recordings:
            dice = Random(f"recordings {self.asked.seed}")
            share = self.asked.recordings
            bursts = Recordings(self.demo["BASE_URL"], self._key(), share, dice, self.stop).on(bursts)
        with display(total) as shown:
            gateway = Gateway(self.demo["BASE_URL"], self._key(), self.stop, shown.say)
            counts = Exchange(gateway, road, shown, self.asked.leave_live).work(bursts)
        print(f"{counts.calls} calls, {counts.reports} reports, {counts.repeated} of them twice", flush=True)

    def _key(self) -> str:
        other = self.tenant == self.demo.get("OTHER_TENANT")
        return self.demo["OTHER_INGEST_KEY" if other else "INGEST_KEY"]


def _demonstration() -> dict[str, str]:
    demo = demonstration.read(demonstration.demo_env())
    if not {"BASE_URL", "TENANT", "INGEST_KEY"} <= demo.keys():
        raise NotStarted
    return demo


def _company(demo: Mapping[str, str]) -> Company:
    lines = ("OPERATOR_LINE", "OPERATOR2_LINE", "ACCOUNTANT_LINE")
    return found_company(*(demo.get(name, usual) for name, usual in zip(lines, ("101", "102", "120"), strict=True)))


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=_positive, metavar="CALLS_PER_SECOND", help="calls in real time")
    parser.add_argument("--days", type=_positive, help="a past period at full speed")
    parser.add_argument("--calls", type=int, help="so many calls in the past period")
    parser.add_argument(
        "--start", type=_instant, help="when the past period begins; its end is now unless this is said"
    )
    parser.add_argument("--seed", default="1", help="the same seed and start make the same reports (1)")
    parser.add_argument("--duplicates", type=_share, default=0.02, help="share of reports sent twice (0.02)")
    parser.add_argument("--comments", type=_share, default=0.0, help="share of calls that get a comment (0)")
    parser.add_argument("--recordings", type=_share, default=0.0, help="share of answered calls that are recorded (0)")
    parser.add_argument("--disorder", type=_share, default=0.05, help="share of reports sent late (0.05)")
    parser.add_argument("--tenant", help="whose exchange it is (the demonstration's)")
    parser.add_argument(
        "--leave-live", action="store_true", help="when stopped, leave the calls in progress as they are"
    )
    return _completed(parser.parse_args(), parser)


def _completed(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> argparse.Namespace:
    if asked.calls is not None and asked.calls < 1:
        parser.error("--calls must be at least 1")
    days = asked.days or ceil((asked.calls or 0) / CALLS_OF_A_WEEKDAY)
    asked.hours = ceil(days * 24)
    if not asked.hours and not asked.rate:
        asked.rate = USUAL_RATE
    if asked.start and not asked.hours:
        parser.error("--start needs --days or --calls")
    if asked.start and asked.start + timedelta(hours=asked.hours) > datetime.now(UTC):
        parser.error("the period must be over")
    return asked


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
