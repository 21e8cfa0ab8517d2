"""A price list as a spreadsheet saves it: columns named as a rate's fields, in UTF-8, UTF-16 or cp1251.

Commas, semicolons and tabs may part the columns, and a comma may stand for the decimal point.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from services.billing.schemas import COLUMNS, checked
from shared.contracts.billing.events import Rate
from shared.contracts.billing.rates import REQUIRED_COLUMNS
from shared.contracts.errors import Invalid, field_error

DELIMITERS = (";", "\t", ",")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
AMOUNTS = ("per_minute", "connection_fee", "minimal_charge")


def read(content: bytes) -> list[Rate]:
    """Every rate of the file. Raises Invalid, by line and column, and then nothing is taken."""
    text = _decode(content)
    heading = next((line for line in StringIO(text, newline="") if line.strip()), "")
    delimiter = next((mark for mark in DELIMITERS if mark in heading), ",")
    return checked(_rates(_rows(text, delimiter)), "")


def _decode(content: bytes) -> str:
    read = ""
    for encoding in ("utf-16",) if content.startswith(UTF_16) else ("utf-8-sig", "cp1251"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            # Counted from behind the mark of the encoding.
            read = error.object[: error.start].decode(encoding)
    line = sum(1 for _ in StringIO(f"{read}.", newline=""))
    raise _unreadable(str(line), "file_not_text", encodings=["UTF-8", "UTF-16", "Windows-1251"])


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that says something, with the line of the file that it begins in: a quoted cell may have several."""
    reader, begins = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(str(begins), "file_not_csv", reason=str(error)) from error


def _rates(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    columns: list[str] | None = None
    for line, cells in rows:
        if columns is None:
            columns = _columns(cells, line)
        elif len(cells) != len(columns):
            raise _unreadable(str(line), "wrong_number_of_cells", cells=len(cells), columns=len(columns))
        else:
            yield line, _row(columns, cells)
    if columns is None:
        raise _unreadable("1", "file_empty", columns=REQUIRED_COLUMNS)


def _columns(cells: list[str], line: int) -> list[str]:
    columns = [cell.lower() for cell in cells]
    for column in columns:
        if column not in COLUMNS:
            raise _unreadable(f"{line}.{column}".rstrip("."), "unknown_column", columns=list(COLUMNS))
        if columns.count(column) > 1:
            raise _unreadable(f"{line}.{column}", "duplicate_column")
    for column in REQUIRED_COLUMNS:
        if column not in columns:
            raise _unreadable(f"{line}.{column}", "missing_column")
    return columns


def _row(columns: list[str], cells: list[str]) -> Mapping[str, str]:
    """An empty cell says nothing, but for the prefix of any number and the line of any."""
    row = {column: cell for column, cell in zip(columns, cells, strict=True) if cell or column in ("prefix", "line")}
    for column in AMOUNTS:
        if column in row:
            row[column] = row[column].replace(",", ".")
    return row


def _unreadable(path: str, code: str, **params: Any) -> Invalid:
    return Invalid("file_has_errors", errors={path: [field_error(code, **params)]})
