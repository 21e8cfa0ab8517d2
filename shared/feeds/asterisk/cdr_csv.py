"""Read rows of Asterisk's `Master.csv` (cdr_csv), or of a table with a header, and group them by call.

A call has one to five rows, which are near each other. `cdr_call.py` translates them.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.feeds.asterisk.channels import clean

COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "linkedid",
)  # fmt: skip
"""In the order of cdr_csv. The last three are optional."""
REQUIRED = ("src", "dst", "channel", "dstchannel", "lastapp", "lastdata", "start", "disposition")
REQUIRED_ALTERNATIVES = (("answer", "billsec"), ("end", "duration"))
SYNONYMS = {"calldate": "start", "callerid": "clid", "answered": "answer", "dstchan": "dstchannel"}
ANSWERED = "ANSWERED"
DISPOSITIONS = {ANSWERED, "NO ANSWER", "BUSY", "FAILED", "CONGESTION"}
EMPTY_TIMES = {"", "0000-00-00 00:00:00", "NULL", "\\N"}
MAX_ROW_DISTANCE = 500
"""Rows. A row further from the last one of its call begins a new call."""
MAX_CALL_SPAN = 5_000
"""Rows between the first and the last of a call."""
YEARS = range(1971, 2200)
"""Valid years of a record."""


class InvalidRecord(ValueError):
    """The row is invalid. The message names the column and the reason."""


class Row(NamedTuple):
    """Times are wall clock readings of the exchange, without a zone."""

    src: str
    dst: str
    clid: str
    channel: str
    dstchannel: str
    lastapp: str
    lastdata: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    uniqueid: str
    userfield: str
    linkedid: str

    @property
    def key(self) -> str:
        """The exchange's key of the call, or one of channel and start if it writes none."""
        return self.linkedid or self.uniqueid or f"{self.channel}@{self.start:%Y-%m-%d %H:%M:%S}"


class Columns:
    """The positions of columns."""

    def __init__(self, names: Sequence[str] = COLUMNS) -> None:
        self._at: Mapping[str, int] = {name: number for number, name in enumerate(names)}

    @classmethod
    def from_header(cls, fields: Sequence[str]) -> "Columns | None":
        """None if it is not a header. Raises InvalidRecord for a header that lacks a column."""
        names = [SYNONYMS.get(name.strip().lower(), name.strip().lower()) for name in fields]
        if "disposition" not in names:
            return None
        missing = [name for name in REQUIRED if name not in names]
        missing += [" or ".join(either) for either in REQUIRED_ALTERNATIVES if not {*either} & {*names}]
        if missing:
            raise InvalidRecord(f"The header has no column {', '.join(missing)}.")
        return cls(names)

    def read(self, fields: Sequence[str]) -> Row:
        """Read a row. Raises InvalidRecord, also for swapped columns."""
        if len(fields) <= self._at["disposition"]:
            raise InvalidRecord(f"Has {len(fields)} columns.")
        text = self._text(fields)
        disposition = text("disposition").upper()
        if disposition not in DISPOSITIONS:
            raise InvalidRecord(f"disposition: {_quote(disposition)} is not a disposition; are columns swapped?")
        start, answer = _time("start", text("start")), _time("answer", text("answer"))
        if start is None:
            raise InvalidRecord("start: is empty.")
        end = _time("end", text("end")) or start + _seconds("duration", text("duration"))
        if "answer" not in self._at and disposition == ANSWERED:
            answer = end - _seconds("billsec", text("billsec"))
        if not start <= (answer or start) <= end:
            raise InvalidRecord("start, answer, end: not in this order; are columns swapped?")
        src, dst, clid = clean(text("src")), clean(text("dst")), text("clid")
        if src != dst and clid.endswith(f"<{dst}>") and not clid.endswith(f"<{src}>"):
            raise InvalidRecord("src, dst: clid is that of dst; are columns swapped?")
        if "/" not in text("channel"):
            raise InvalidRecord(f"channel: {_quote(text('channel'))} is not a channel; are columns swapped?")
        rest = (text("uniqueid"), text("userfield"), text("linkedid"))
        ran = (text("channel"), text("dstchannel"), text("lastapp"), text("lastdata"))
        return Row(src, dst, clid, *ran, start, answer, end, disposition, *rest)

    def _text(self, fields: Sequence[str]) -> "_Text":
        return _Text(self._at, fields)


class _Text:
    def __init__(self, at: Mapping[str, int], fields: Sequence[str]) -> None:
        self._at, self._fields = at, fields

    def __call__(self, name: str) -> str:
        """A column; "" for one that is not there."""
        number = self._at.get(name, len(self._fields))
        return self._fields[number].strip() if number < len(self._fields) else ""


class CallRows(NamedTuple):
    """The rows of a call, and the place of the first one."""

    key: str
    rows: list[Row]
    place: int


class CallGrouper:
    """Groups rows by call. A call is returned when it is complete."""

    def __init__(self, done: Iterable[str] = ()) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._number = 0
        self._done = OrderedDict.fromkeys(done, 0)
        """Recently completed calls: their rows are skipped when they are read again."""

    def feed(self, row: Row, place: int) -> Iterator[CallRows]:
        """Add a row, and return the calls that are complete. `place` is the row's place in its file."""
        self._number += 1
        key = row.key
        if key not in self._done:
            call = self._open.pop(key, None) or _Open(place, self._number, 0, [])
            call.rows.append(row)
            self._open[key] = call._replace(last=self._number)
        yield from self._close_complete()

    def finish(self) -> Iterator[CallRows]:
        for key in list(self._open):
            yield self._close(key)

    def resume_place(self, place: int) -> int:
        """Where to resume after an interruption: the place of the first row of an incomplete call, else `place`."""
        return min((call.place for call in self._open.values()), default=place)

    @property
    def done(self) -> list[str]:
        """The keys to pass to a new grouper that resumes from there."""
        return list(self._done)

    def _close(self, key: str) -> CallRows:
        call = self._open.pop(key)
        return CallRows(key, call.rows, call.place)

    def _close_complete(self) -> Iterator[CallRows]:
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if self._number - oldest.last < MAX_ROW_DISTANCE and self._number - oldest.first < MAX_CALL_SPAN:
                break
            yield self._close(key)
            self._done[key] = self._number
        while self._done and self._number - next(iter(self._done.values())) > MAX_CALL_SPAN + MAX_ROW_DISTANCE:
            self._done.popitem(last=False)


class _Open(NamedTuple):
    """A call that may get more rows. `first` and `last` are the numbers of its rows."""

    place: int
    first: int
    last: int
    rows: list[Row]


def _time(name: str, text: str) -> datetime | None:
    if text in EMPTY_TIMES:
        return None
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise InvalidRecord(f"{name}: {_quote(text)} is not a time; are columns swapped?") from error
    if at.year not in YEARS:
        raise InvalidRecord(f"{name}: {_quote(text)} is not a time of a call.")
    return at


def _seconds(name: str, text: str) -> timedelta:
    """Parse a duration in seconds."""
    if not text.isdecimal() or len(text) > 9:
        raise InvalidRecord(f"{name}: {_quote(text)} is not a number of seconds; are columns swapped?")
    return timedelta(seconds=int(text))


def _quote(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
