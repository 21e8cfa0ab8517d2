"""`make bench`: measure speed and size as ratios within one run on one machine. Writes docs/performance.md.

python -m tests.performance.run [MEASURE ...] [--calls 100000] [--rows 1000000] [--due 100000]
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.performance import (
    browser,
    comments,
    exchange,
    export,
    flow,
    importing,
    latency,
    login,
    memory,
    page,
    pricing,
    rating,
    recordings,
    stream,
    tariffs,
)
from tests.performance.figures import Figure
from tests.support.infrastructure import ROOT, Services, Stack, prepared

MEASURES: dict[str, Callable[[Stack, Services, argparse.Namespace], list[Figure]]] = {
    "flow": flow.measure,
    "latency": latency.measure,
    "comments": comments.measure,
    "login": login.measure,
    "recordings": recordings.measure,
    "page": page.measure,
    "browser": browser.measure,
    "memory": memory.measure,
    "stream": stream.measure,
    "export": export.measure,
    "import": importing.measure,
    "exchange": exchange.measure,
    "rating": rating.measure,
    "tariffs": tariffs.measure,
    "pricing": pricing.measure,
}
REPORT = ROOT / "docs/performance.md"


def main() -> None:
    arguments = _arguments()
    measures = arguments.measure or list(MEASURES)
    folder = ROOT / os.environ.setdefault("STACK_DIR", ".stack/bench")
    stack = prepared(folder)
    try:
        figures = [figure for name in measures for figure in _measured(name, stack, arguments)]
    finally:
        subprocess.run([ROOT / "ops/stack/stack", "down"], check=True, stdout=subprocess.DEVNULL)
    if set(measures) == set(MEASURES):
        REPORT.write_text(_report(figures))
    sys.exit(not all(figure.holds for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures; writes docs/performance.md.")
    parser.add_argument("measure", nargs="*", choices=[*MEASURES, []], default=[])
    parser.add_argument("--calls", type=int, default=100_000, help="calls for the memory measure")
    parser.add_argument("--due", type=int, default=100_000, help="calls due at one instant for the pricing measure")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in the journal for page and browser")
    return parser.parse_args()


def _measured(name: str, stack: Stack, arguments: argparse.Namespace) -> list[Figure]:
    sys.stdout.write(f"{name} …\n")
    services = Services(stack, Path(tempfile.mkdtemp(prefix="bench-")))
    try:
        figures = MEASURES[name](stack, services, arguments)
    finally:
        services.stop()
    for figure in figures:
        sys.stdout.write(f"  {figure}\n")
        sys.stdout.flush()
    return figures


def _report(figures: list[Figure]) -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    rows = "\n".join(
        f"| {figure.label} | {figure.measured} | {figure.limit} | {'yes' if figure.holds else '**no**'} |"
        for figure in figures
    )
    return f"""# Speed and size, as measured

Written by `make bench` on {machine}, everything on the one machine. Ratios compare two measurements of the same run.

| what | measured | limit | met |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
