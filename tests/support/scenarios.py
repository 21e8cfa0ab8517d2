"""Calls as text tables that a telephony person can read and write.

    at       | report   | data
    12:00:00 | placed   | outbound 101 -> +380501112233
    12:00:02 | ringing  | +380501112233
    12:00:20 | ended    | by callee, cause 21
    => declined (reason declined), waited 20 s, no talk, ended by callee

A scenario may have a title line beginning with `#`. `report_id` is the line's number; the day is 2026-11-22, UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from shared.contracts.calls import reports
from shared.contracts.calls.reports import Report
from shared.contracts.wire import Json

DAY = datetime(2026, 11, 22, tzinfo=UTC)
TENANT = "acme"
PLACED = re.compile(
    r"(?P<direction>\w+) (?P<caller>\S+) -> (?P<callee>\S+)(?: via (?P<line>\S+))?(?: named (?P<caller_name>.+))?"
)
ENDED = re.compile(r"by (?P<by>\w+)(?:, cause (?P<cause>\d+))?(?:, sip (?P<sip>\d+))?")


@dataclass(frozen=True, slots=True)
class Scenario:
    title: str
    reports: tuple[Report, ...]
    expected: str


def read(text: str, call: str = "pbx-1") -> Iterator[Scenario]:
    """The scenarios of a text, each ended by its `=>` line."""
    title, told = "", list[Report]()
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("=>"):
            yield Scenario(title or line, tuple(told), line.removeprefix("=>").strip())
            title, told = "", []
        elif not line.startswith("at "):
            told.append(_report(line, len(told) + 1, call))


def _report(line: str, number: int, call: str) -> Report:
    at, type_, words = (cell.strip() for cell in line.split("|"))
    instant = datetime.combine(DAY, time.fromisoformat(at), UTC)
    [report] = reports.load(
        [
            {
                "report_id": f"{call}-{number}",
                "tenant": TENANT,
                "call": call,
                "type": type_,
                "at": instant.isoformat(),
                "data": _data(type_, words),
            }
        ]
    )
    return report


def _data(type_: str, words: str) -> Json:
    match type_:
        case "placed":
            return _match(PLACED, words)
        case "connecting":
            return {"group": words or None}
        case "ringing" | "offline" | "answered":
            return {"party": words}
        case "forwarded":
            return {"to": words}
        case "refused":
            return {"reason": words}
        case "recorded":
            return {"file": words}
    ended = _match(ENDED, words)
    return {name: int(value) if name != "by" else value for name, value in ended.items()}


def _match(pattern: re.Pattern[str], words: str) -> Json:
    found = pattern.fullmatch(words)
    if found is None:
        raise ValueError(f"a scenario says {words!r}, which is not like {pattern.pattern}")
    return {name: value for name, value in found.groupdict().items() if value is not None}
