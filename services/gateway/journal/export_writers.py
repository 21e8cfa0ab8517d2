"""Write journal entries as CSV, XLSX and NDJSON, one page in memory at a time."""

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
"""Excel reads a CSV file as UTF-8 only if it begins with this."""
MAX_ROWS_PER_SHEET = 1_048_576
"""Limit of the XLSX format; further rows go to another sheet."""
TEXT_ONLY = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}


def csv_header(language: Language) -> bytes:
    return BOM.encode() + _csv([header(language)])


def csv_rows(entries: Sequence[Json]) -> bytes:
    # A cell that begins with a letter or a digit is no formula; this check is cheaper than `safe`.
    return _csv([cell if cell[:1].isalnum() else safe(cell) for cell in cells(entry)] for entry in entries)


def ndjson(entries: Sequence[Json]) -> bytes:
    """One entry per line."""
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


class XlsxWriter:
    """Write an XLSX file row by row to disk. Every cell is text, so that no formula is calculated."""

    def __init__(self, file: IO[bytes], folder: str, language: Language) -> None:
        """`folder`: for temporary files; they remain there if the writer is never closed."""
        self._workbook = Workbook(file, {"constant_memory": True, "tmpdir": folder, **TEXT_ONLY})
        self._header = header(language)
        self._add_sheet()

    def add(self, entries: Sequence[Json]) -> None:
        for entry in entries:
            if self._next_row == MAX_ROWS_PER_SHEET:
                self._add_sheet()
            self._write(cells(entry))

    def close(self) -> None:
        """Finish the file."""
        self._workbook.close()

    def _add_sheet(self) -> None:
        self._sheet: Worksheet = self._workbook.add_worksheet()
        self._next_row = 0
        self._write(self._header)

    def _write(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            if cell:
                self._sheet.write_string(self._next_row, column, cell)
        self._next_row += 1


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
