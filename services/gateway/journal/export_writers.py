"""Entries of the journal written out: CSV, XLSX and NDJSON, piece by piece, in memory for a page and no more."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import IO

import orjson
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from services.gateway.domain.cells import safe
from services.gateway.domain.exporting import Language, cells, header
from shared.contracts.wire import Json

BOM = "\ufeff"
"""By which Excel knows that it is UTF-8."""
MOST_ROWS = 1_048_576
"""What a sheet of XLSX holds; the rest goes on the next."""
TEXT_ONLY = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}


def csv_header(language: Language) -> bytes:
    return BOM.encode() + _csv([header(language)])


def csv_rows(entries: Sequence[Json]) -> bytes:
    # Most cells begin with a letter or a digit, and what does is no formula.
    return _csv([cell if cell[:1].isalnum() else safe(cell) for cell in cells(entry)] for entry in entries)


def ndjson(entries: Sequence[Json]) -> bytes:
    """An ENTRY a line."""
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


class Sheets:
    """An XLSX file in the making, whose rows go to disk as they come. Every cell is text: none is calculated."""

    def __init__(self, file: IO[bytes], folder: str, language: Language) -> None:
        """`folder`: where the rows stay until the file is closed, and longer if it never is."""
        self._book = Workbook(file, {"constant_memory": True, "tmpdir": folder, **TEXT_ONLY})
        self._header = header(language)
        self._begin()

    def add(self, entries: Sequence[Json]) -> None:
        for entry in entries:
            if self._next == MOST_ROWS:
                self._begin()
            self._write(cells(entry))

    def close(self) -> None:
        """The file is whole then."""
        self._book.close()

    def _begin(self) -> None:
        self._sheet: Worksheet = self._book.add_worksheet()
        self._next = 0
        self._write(self._header)

    def _write(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            if cell:
                self._sheet.write_string(self._next, column, cell)
        self._next += 1


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
