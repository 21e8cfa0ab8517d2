"""Read sources in chunks, so that memory use does not depend on their size."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from shared.feeds.asterisk import cdr_csv
from shared.feeds.asterisk.cdr_call import Exchange, translate
from shared.feeds.asterisk.cdr_csv import CallGrouper, CallRows, Columns, Row
from shared.feeds.asterisk.stream import decode_line
from shared.feeds.csv_records import BYTE_ORDER_MARK, MAX_ROW_SIZE, parse_fields, read_records
from shared.feeds.freeswitch import translator

Report = dict[str, Any]
Checkpoint = Mapping[str, Any]

MAX_FILE_BYTES = 16 * 1024 * 1024


class UnreadableSource(Exception):
    """The source cannot be read at all; the text says why."""


class LocatedReport(NamedTuple):
    """A report and its location in the source."""

    where: str
    report: Report


class Chunk(NamedTuple):
    """The reports in some bytes of the source; `errors` are (location, message)."""

    size: int
    reports: list[LocatedReport]
    errors: list[tuple[str, str]]
    rows: int = 1


class Source(Protocol):
    """A source to import, readable from any of its checkpoints; {} is its beginning."""

    size: int
    """Total bytes."""

    def chunks(self, checkpoint: Checkpoint) -> Iterator[Chunk]: ...

    def checkpoint(self) -> Checkpoint:
        """Where to resume once everything yielded so far is sent; small JSON."""
        ...


class AsteriskCsv:
    def __init__(self, path: Path, exchange: Exchange) -> None:
        self._path, self._exchange = path, exchange
        self.size = path.stat().st_size
        self._columns, self._gathering = Columns(), CallGrouper()
        self._offset = self._line = self._known = 0
        self._lines: dict[int, int] = {}
        """The line number at each offset from which reading may have to resume."""

    def chunks(self, checkpoint: Checkpoint) -> Iterator[Chunk]:
        self._gathering = CallGrouper(checkpoint.get("done", ()))
        with self._path.open("rb") as file:
            self._read_head(file)
            self._offset, self._line = checkpoint.get("offset", 0), checkpoint.get("line", 0)
            self._known = checkpoint.get("known", 0)
            file.seek(self._offset)
            for number, (lines, record) in enumerate(read_records(file)):
                chunk = self._chunk(record, lines, head=number == 0 and not checkpoint)
                # Rows read a second time were counted, and their errors recorded, the first time.
                yield chunk if self._line > self._known else Chunk(0, chunk.reports, [], 0)
        yield Chunk(0, self._translate(self._gathering.finish()), [], 0)

    def checkpoint(self) -> Checkpoint:
        offset = self._gathering.resume_place(self._offset)
        self._lines = {at: line for at, line in self._lines.items() if at >= offset}
        line = self._lines.get(offset, self._line)
        return {"offset": offset, "line": line, "known": max(self._known, self._line), "done": self._gathering.done}

    def _read_head(self, file: BinaryIO) -> None:
        """Read the header. Raises UnreadableSource if it lacks a column; a malformed first line is treated as a row."""
        record = next(read_records(file), (0, b""))[1]
        try:
            self._columns = Columns.from_header(parse_fields(record)) or self._columns
        except cdr_csv.InvalidRecord as error:
            raise UnreadableSource(f"line 1: {error}") from error
        except csv.Error:
            return

    def _chunk(self, record: bytes, lines: int, head: bool) -> Chunk:
        offset, line = self._offset, self._line
        self._offset, self._line = offset + len(record), line + lines
        try:
            fields = parse_fields(record)
            if not any(fields) or (head and Columns.from_header(fields)):
                return Chunk(len(record), [], [], 0)
            row = self._columns.read(fields)
        except (cdr_csv.InvalidRecord, csv.Error) as error:
            return Chunk(len(record), [], [(f"line {line + 1}", str(error))])
        return Chunk(len(record), self._collect(row, offset, line), [])

    def _collect(self, row: Row, offset: int, line: int) -> list[LocatedReport]:
        self._lines[offset] = line
        if len(self._lines) > 4 * cdr_csv.MAX_CALL_SPAN:
            self.checkpoint()
        return self._translate(self._gathering.feed(row, offset))

    def _translate(self, calls: Iterator[CallRows]) -> list[LocatedReport]:
        return [
            LocatedReport(f"line {self._lines[checkpoint] + 1}", report)
            for key, rows, checkpoint in calls
            for report in translate(key, rows, self._exchange)
        ]


class FreeswitchFiles:
    """A folder, with subfolders, of the files that mod_json_cdr and mod_xml_cdr write."""

    def __init__(self, folder: Path, tenant: str) -> None:
        self._folder, self._tenant = folder, tenant
        self._files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        self.size = sum((folder / name).stat().st_size for name in self._files)
        self._last = ""

    def chunks(self, checkpoint: Checkpoint) -> Iterator[Chunk]:
        for name in self._files:
            if name > checkpoint.get("last", ""):
                self._last = name
                yield self._chunk(name)

    def checkpoint(self) -> Checkpoint:
        return {"last": self._last}

    def _chunk(self, name: str) -> Chunk:
        path = self._folder / name
        try:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                return Chunk(size, [], [(name, f"The file has {size} bytes; at most {MAX_FILE_BYTES} are read.")])
            reports = translator.translate(translator.read(path.read_bytes()), self._tenant)
            return Chunk(size, [LocatedReport(name, report) for report in reports], [])
        except (translator.InvalidRecord, OSError) as error:
            return Chunk(0, [], [(name, str(error))])


class ReportLines:
    """One report per line, in the format of `POST /reports`; the gateway validates them."""

    def __init__(self, path: Path, tenant: str) -> None:
        self._path, self._tenant = path, tenant
        self.size = path.stat().st_size
        self._offset = self._line = 0

    def chunks(self, checkpoint: Checkpoint) -> Iterator[Chunk]:
        self._offset, self._line = checkpoint.get("offset", 0), checkpoint.get("line", 0)
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while line := file.readline(MAX_ROW_SIZE):
                self._offset, self._line = self._offset + len(line), self._line + 1
                yield self._chunk(line)

    def checkpoint(self) -> Checkpoint:
        return {"offset": self._offset, "line": self._line}

    def _chunk(self, line: bytes) -> Chunk:
        if not line.strip():
            return Chunk(len(line), [], [], 0)
        try:
            report = json.loads(decode_line(line).removeprefix(BYTE_ORDER_MARK))
        except (ValueError, RecursionError) as error:
            return Chunk(len(line), [], [(f"line {self._line}", f"Not JSON: {error}.")])
        if not isinstance(report, dict):
            return Chunk(len(line), [], [(f"line {self._line}", "Not a JSON object.")])
        return Chunk(len(line), [LocatedReport(f"line {self._line}", {"tenant": self._tenant, **report})], [])
