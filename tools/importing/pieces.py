"""What is read of a source: a piece at a time, so that a million rows need no more memory than a hundred."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from shared.feeds.asterisk import cdr_csv
from shared.feeds.asterisk.cdr_call import Exchange, translate
from shared.feeds.asterisk.cdr_csv import Columns, Gathered, Gathering, Row
from shared.feeds.asterisk.stream import decode_line
from shared.feeds.csv_records import LONGEST_ROW, MARK, fields_of, records_of
from shared.feeds.freeswitch import translator

Report = dict[str, Any]
Place = Mapping[str, Any]

LONGEST_FILE = 16 * 1024 * 1024


class Unusable(Exception):
    """Nothing can be read of the whole source; says why."""


class Made(NamedTuple):
    """A report, and where in the source it comes from."""

    where: str
    report: Report


class Piece(NamedTuple):
    """What some bytes of the source came to; `complaints` are (where, what)."""

    size: int
    reports: list[Made]
    complaints: list[tuple[str, str]]
    rows: int = 1


class Source(Protocol):
    """Begins at a place that it told of before, or at the beginning for {}."""

    size: int
    """Bytes, all of it."""

    def pieces(self, place: Place) -> Iterator[Piece]: ...

    def place(self) -> Place:
        """Where to begin again when everything that was given has been sent; small JSON."""
        ...


class AsteriskCsv:
    def __init__(self, path: Path, exchange: Exchange) -> None:
        self._path, self._exchange = path, exchange
        self.size = path.stat().st_size
        self._columns, self._gathering = Columns(), Gathering()
        self._offset = self._line = self._known = 0
        self._lines: dict[int, int] = {}
        """The number of the line at an offset from which reading may have to begin again."""

    def pieces(self, place: Place) -> Iterator[Piece]:
        self._gathering = Gathering(place.get("done", ()))
        with self._path.open("rb") as file:
            self._read_head(file)
            self._offset, self._line = place.get("offset", 0), place.get("line", 0)
            self._known = place.get("known", 0)
            file.seek(self._offset)
            for number, (lines, record) in enumerate(records_of(file)):
                piece = self._piece(record, lines, head=number == 0 and not place)
                # What is read a second time was counted, and complained of, the first time.
                yield piece if self._line > self._known else Piece(0, piece.reports, [], 0)
        yield Piece(0, self._told(self._gathering.finish()), [], 0)

    def place(self) -> Place:
        offset = self._gathering.waiting_since(self._offset)
        self._lines = {at: line for at, line in self._lines.items() if at >= offset}
        line = self._lines.get(offset, self._line)
        return {"offset": offset, "line": line, "known": max(self._known, self._line), "done": self._gathering.done}

    def _read_head(self, file: BinaryIO) -> None:
        """Raises Unusable for a head that lacks a column; a first line that is broken is a row like others."""
        record = next(records_of(file), (0, b""))[1]
        try:
            self._columns = Columns.of_head(fields_of(record)) or self._columns
        except cdr_csv.NotUnderstood as error:
            raise Unusable(f"line 1: {error}") from error
        except csv.Error:
            return

    def _piece(self, record: bytes, lines: int, head: bool) -> Piece:
        offset, line = self._offset, self._line
        self._offset, self._line = offset + len(record), line + lines
        try:
            fields = fields_of(record)
            if not any(fields) or (head and Columns.of_head(fields)):
                return Piece(len(record), [], [], 0)
            row = self._columns.read(fields)
        except (cdr_csv.NotUnderstood, csv.Error) as error:
            return Piece(len(record), [], [(f"line {line + 1}", str(error))])
        return Piece(len(record), self._gathered(row, offset, line), [])

    def _gathered(self, row: Row, offset: int, line: int) -> list[Made]:
        self._lines[offset] = line
        if len(self._lines) > 4 * cdr_csv.LONGEST_CALL:
            self.place()
        return self._told(self._gathering.feed(row, offset))

    def _told(self, calls: Iterator[Gathered]) -> list[Made]:
        return [
            Made(f"line {self._lines[place] + 1}", report)
            for key, rows, place in calls
            for report in translate(key, rows, self._exchange)
        ]


class FreeswitchFiles:
    """A folder of records as the modules leave them, folders in it too."""

    def __init__(self, folder: Path, tenant: str) -> None:
        self._folder, self._tenant = folder, tenant
        self._files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        self.size = sum((folder / name).stat().st_size for name in self._files)
        self._last = ""

    def pieces(self, place: Place) -> Iterator[Piece]:
        for name in self._files:
            if name > place.get("last", ""):
                self._last = name
                yield self._piece(name)

    def place(self) -> Place:
        return {"last": self._last}

    def _piece(self, name: str) -> Piece:
        path = self._folder / name
        try:
            size = path.stat().st_size
            if size > LONGEST_FILE:
                return Piece(size, [], [(name, f"Has {size} bytes, which no record has.")])
            reports = translator.translate(translator.read(path.read_bytes()), self._tenant)
            return Piece(size, [Made(name, report) for report in reports], [])
        except (translator.NotUnderstood, OSError) as error:
            return Piece(0, [], [(name, str(error))])


class ReportLines:
    """A report a line, as `POST /reports` takes them; the gateway says what it does not take."""

    def __init__(self, path: Path, tenant: str) -> None:
        self._path, self._tenant = path, tenant
        self.size = path.stat().st_size
        self._offset = self._line = 0

    def pieces(self, place: Place) -> Iterator[Piece]:
        self._offset, self._line = place.get("offset", 0), place.get("line", 0)
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while line := file.readline(LONGEST_ROW):
                self._offset, self._line = self._offset + len(line), self._line + 1
                yield self._piece(line)

    def place(self) -> Place:
        return {"offset": self._offset, "line": self._line}

    def _piece(self, line: bytes) -> Piece:
        if not line.strip():
            return Piece(len(line), [], [], 0)
        try:
            report = json.loads(decode_line(line).removeprefix(MARK))
        except (ValueError, RecursionError) as error:
            return Piece(len(line), [], [(f"line {self._line}", f"It is not JSON: {error}.")])
        if not isinstance(report, dict):
            return Piece(len(line), [], [(f"line {self._line}", "It is not a report.")])
        return Piece(len(line), [Made(f"line {self._line}", {"tenant": self._tenant, **report})], [])
