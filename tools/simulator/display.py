"""Progress output: a bar or a status line on a terminal, plain lines elsewhere."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeRemainingColumn

SPAN = 10.0
LINE_EVERY = 5.0


@dataclass
class Counts:
    """Numbers of what has been sent so far."""

    calls: int = 0
    reports: int = 0
    repeated: int = 0
    in_progress: int = 0


class Display(Protocol):
    def print_line(self, text: str) -> None: ...
    def update(self, counts: Counts) -> None: ...


@dataclass
class Throughput:
    """Calls and reports per second over the last seconds."""

    marks: deque[tuple[float, int, int]] = field(default_factory=deque)

    def __call__(self, counts: Counts) -> tuple[float, float]:
        self.marks.append((monotonic(), counts.calls, counts.reports))
        while self.marks[-1][0] - self.marks[0][0] > SPAN:
            self.marks.popleft()
        (began, calls, reports), (now, calls_now, reports_now) = self.marks[0], self.marks[-1]
        seconds = max(now - began, 0.001)
        return (calls_now - calls) / seconds, (reports_now - reports) / seconds


class TerminalDisplay:
    """A terminal line that is redrawn."""

    def __init__(self, progress: Progress, total: int | None) -> None:
        self.progress = progress
        self.total = total
        self.task = progress.add_task("", total=total, text="")
        self.throughput = Throughput()

    def print_line(self, text: str) -> None:
        self.progress.console.print(text, highlight=False)

    def update(self, counts: Counts) -> None:
        calls, reports = self.throughput(counts)
        text = f"{reports:.0f} reports/s" if self.total else _summary(counts, calls, reports)
        self.progress.update(self.task, completed=counts.calls, text=text)


class PlainDisplay:
    """A plain line every few seconds."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.throughput = Throughput()
        self.due = monotonic() + LINE_EVERY

    def print_line(self, text: str) -> None:
        print(text, flush=True)

    def update(self, counts: Counts) -> None:
        calls, reports = self.throughput(counts)
        if monotonic() < self.due:
            return
        self.due = monotonic() + LINE_EVERY
        self.print_line(f"{_summary(counts, calls, reports)}{self._left(counts, calls)}")

    def _left(self, counts: Counts, per_second: float) -> str:
        if self.total is None or not per_second:
            return ""
        seconds = (self.total - counts.calls) / per_second
        return f" · {counts.calls / self.total:.0%}, about {seconds:.0f} s left"


@contextmanager
def display(total: int | None) -> Iterator[Display]:
    """The display for a run of `total` calls; None for an endless run."""
    console = Console()
    if not sys.stdout.isatty():
        yield PlainDisplay(total)
        return
    with Progress(*_columns(total), console=console) as progress:
        yield TerminalDisplay(progress, total)


def _columns(total: int | None) -> list[ProgressColumn]:
    text = TextColumn("{task.fields[text]}")
    if total is None:
        return [SpinnerColumn(), text]
    done = TextColumn("{task.percentage:>3.0f}% · {task.completed} of {task.total} calls ·")
    return [BarColumn(bar_width=20), done, text, TextColumn("· left"), TimeRemainingColumn()]


def _summary(counts: Counts, calls_per_second: float, reports_per_second: float) -> str:
    live = f" · {counts.in_progress} in progress" if counts.in_progress else ""
    return (
        f"{counts.calls} calls ({calls_per_second:.1f}/s) · {counts.reports} reports ({reports_per_second:.0f}/s)"
        f" · {counts.repeated} twice{live}"
    )
