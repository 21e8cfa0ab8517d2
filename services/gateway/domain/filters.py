"""The filters of the journal, and periods in the viewer's time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.gateway.domain.naming import fold
from services.gateway.domain.people import Line
from shared.contracts.addresses import normalise
from shared.contracts.values import Direction, Phase, Status

NUMBER = re.compile(r"[+\d\s().\-]*\d[+\d\s().\-]*")
DIAL_MARKS = re.compile(r"[\s().\-]")


class Period(StrEnum):
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"


class Has(StrEnum):
    COMMENT = "comment"
    RECORDING = "recording"
    PRICE = "price"
    CALLBACK = "callback"


DAYS = {
    Period.TODAY: (0, 1),
    Period.YESTERDAY: (-1, 0),
    Period.WEEK: (-6, 1),
    Period.MONTH: (-29, 1),
}
"""The first day of a period and the first day after it, counted from today."""


class SearchText(NamedTuple):
    """A search text: folded as part of a name, and in lower case as part of an address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Filters of the journal; a default value does not filter.

    A call matches any of the `directions`, `statuses` and `phases`, and all of `has`.
    """

    placed_from: datetime | None = None
    placed_to: datetime | None = None
    directions: frozenset[Direction] = frozenset()
    statuses: frozenset[Status] = frozenset()
    phases: frozenset[Phase] = frozenset()
    party: str | None = None
    lines: tuple[Line, ...] | None = None
    text: SearchText | None = None
    has: frozenset[Has] = frozenset()
    min_talk: timedelta | None = None
    max_talk: timedelta | None = None


def span_of(period: Period, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The half-open span of a period in days of the viewer's time zone; correct across clock changes."""
    today = now.astimezone(zone).date()
    first, after = DAYS[period]
    return beginning(today + timedelta(days=first), zone), beginning(today + timedelta(days=after), zone)


def beginning(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """The instant, or the first instant of a day in the viewer's zone."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time.min, zone).astimezone(UTC)


def parse_search_text(text: str, region: str) -> SearchText:
    """The name and the address that a search text may be a part of. `050 111-22` is read as part of a number."""
    address = DIAL_MARKS.sub("", normalise(text, region)) if NUMBER.fullmatch(text) else text
    return SearchText(fold(text), address.strip().lower())
