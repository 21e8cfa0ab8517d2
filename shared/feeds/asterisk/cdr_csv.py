"""Rows of Asterisk's `Master.csv` (cdr_csv), or of a table of detail records with a head, gathered into calls.

A call has one to five rows, which stand near each other. What they tell is `asterisk_csv_call.py`.
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
"""In the order in which cdr_csv writes them; the last three as it is configured."""
REQUIRED = ("src", "dst", "channel", "dstchannel", "lastapp", "lastdata", "start", "disposition")
NEEDED_ONE_OF = (("answer", "billsec"), ("end", "duration"))
SYNONYMS = {"calldate": "start", "callerid": "clid", "answered": "answer", "dstchan": "dstchannel"}
ANSWERED = "ANSWERED"
DISPOSITIONS = {ANSWERED, "NO ANSWER", "BUSY", "FAILED", "CONGESTION"}
NEVER = {"", "0000-00-00 00:00:00", "NULL", "\\N"}
NEAR = 500
"""Rows. What stands further from the rest of its call is a call of its own."""
LONGEST_CALL = 5_000
"""Rows between the first and the last of a call."""
YEARS = range(1971, 2200)
"""In which a record can be from."""


class NotUnderstood(ValueError):
    """What of the row cannot be, by the name of its column."""


class Row(NamedTuple):
    """Times are the exchange's own wall clock: which zone that is, the call tells."""

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
        """The exchange's own key of the call, or where it writes none what tells calls apart all the same."""
        return self.linkedid or self.uniqueid or f"{self.channel}@{self.start:%Y-%m-%d %H:%M:%S}"


class Columns:
    """Which column is where."""

    def __init__(self, names: Sequence[str] = COLUMNS) -> None:
        self._at: Mapping[str, int] = {name: number for number, name in enumerate(names)}

    @classmethod
    def of_head(cls, fields: Sequence[str]) -> "Columns | None":
        """None for what is no head. Raises NotUnderstood for a head that lacks a column."""
        names = [SYNONYMS.get(name.strip().lower(), name.strip().lower()) for name in fields]
        if "disposition" not in names:
            return None
        missing = [name for name in REQUIRED if name not in names]
        missing += [" or ".join(either) for either in NEEDED_ONE_OF if not {*either} & {*names}]
        if missing:
            raise NotUnderstood(f"The head has no column {', '.join(missing)}.")
        return cls(names)

    def read(self, fields: Sequence[str]) -> Row:
        """Raises NotUnderstood, for columns that were swapped too."""
        if len(fields) <= self._at["disposition"]:
            raise NotUnderstood(f"Has {len(fields)} columns.")
        told = self._text(fields)
        disposition = told("disposition").upper()
        if disposition not in DISPOSITIONS:
            raise NotUnderstood(f"disposition: {_shown(disposition)} is none; are columns swapped?")
        start, answer = _time("start", told("start")), _time("answer", told("answer"))
        if start is None:
            raise NotUnderstood("start: is empty.")
        end = _time("end", told("end")) or start + _seconds("duration", told("duration"))
        if "answer" not in self._at and disposition == ANSWERED:
            answer = end - _seconds("billsec", told("billsec"))
        if not start <= (answer or start) <= end:
            raise NotUnderstood("start, answer, end: not in this order; are columns swapped?")
        src, dst, clid = clean(told("src")), clean(told("dst")), told("clid")
        if src != dst and clid.endswith(f"<{dst}>") and not clid.endswith(f"<{src}>"):
            raise NotUnderstood("src, dst: clid is that of dst; are columns swapped?")
        if "/" not in told("channel"):
            raise NotUnderstood(f"channel: {_shown(told('channel'))} is none; are columns swapped?")
        rest = (told("uniqueid"), told("userfield"), told("linkedid"))
        ran = (told("channel"), told("dstchannel"), told("lastapp"), told("lastdata"))
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


class Gathered(NamedTuple):
    """The rows of a call; `place` is that of the first."""

    key: str
    rows: list[Row]
    place: int


class Gathering:
    """Rows in, calls out, in the order of their first rows where nothing keeps them waiting."""

    def __init__(self, done: Iterable[str] = ()) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._number = 0
        self._done = OrderedDict.fromkeys(done, 0)
        """Calls that were let go a short while ago: a row of theirs that is read again is known."""

    def feed(self, row: Row, place: int) -> Iterator[Gathered]:
        """`place` is where the row stands in its file."""
        self._number += 1
        key = row.key
        if key not in self._done:
            found = self._open.pop(key, None) or _Open(place, self._number, 0, [])
            found.rows.append(row)
            self._open[key] = found._replace(last=self._number)
        yield from self._let_go()

    def finish(self) -> Iterator[Gathered]:
        for key in list(self._open):
            yield self._close(key)

    def waiting_since(self, place: int) -> int:
        """Where to read again from after a break: the place of the first row that is in no call yet, else `place`."""
        return min((one.place for one in self._open.values()), default=place)

    @property
    def done(self) -> list[str]:
        """What must be known to read again from there."""
        return list(self._done)

    def _close(self, key: str) -> Gathered:
        call = self._open.pop(key)
        return Gathered(key, call.rows, call.place)

    def _let_go(self) -> Iterator[Gathered]:
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if self._number - oldest.last < NEAR and self._number - oldest.first < LONGEST_CALL:
                break
            yield self._close(key)
            self._done[key] = self._number
        while self._done and self._number - next(iter(self._done.values())) > LONGEST_CALL + NEAR:
            self._done.popitem(last=False)


class _Open(NamedTuple):
    """A call whose rows may go on; `first` and `last` are the numbers of its rows."""

    place: int
    first: int
    last: int
    rows: list[Row]


def _time(name: str, text: str) -> datetime | None:
    if text in NEVER:
        return None
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise NotUnderstood(f"{name}: {_shown(text)} is no time; are columns swapped?") from error
    if at.year not in YEARS:
        raise NotUnderstood(f"{name}: {_shown(text)} is no time of a call.")
    return at


def _seconds(name: str, text: str) -> timedelta:
    """Tables often have only how long it took."""
    if not text.isdecimal() or len(text) > 9:
        raise NotUnderstood(f"{name}: {_shown(text)} is no number of seconds; are columns swapped?")
    return timedelta(seconds=int(text))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
