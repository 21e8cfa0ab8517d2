"""Read CSV tables from spreadsheets: comma or semicolon, UTF-8 or Windows-1251, columns in any order."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.gateway.domain.cells import plain
from services.gateway.domain.naming import fold
from shared.contracts.errors import FieldErrors, Invalid, field_error, in_line

SEPARATORS = ",;"
BOM = b"\xef\xbb\xbf"
BEYOND_ASCII = bytes(range(0x80, 0x100))
Pace = Callable[[Iterable[str]], Iterable[str]]


class Line(NamedTuple):
    """A table line: its number in the file from 1, its cells by column, and whether it has cells in no column."""

    number: int
    cells: dict[str, str]
    has_extra_cells: bool


class Table(NamedTuple):
    columns: frozenset[str]
    lines: Iterator[Line]


def decode(data: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark, else Windows-1251. Raises Invalid with the undecodable line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        error_at = error.start
    if not data.startswith(BOM) and _is_single_byte_text(data):
        try:
            return data.decode("cp1251")
        except UnicodeDecodeError as error:
            error_at = error.start
    raise _invalid(data.count(b"\n", 0, error_at) + 1, "file_not_text", encodings=["UTF-8", "Windows-1251"])


def _is_single_byte_text(data: bytes) -> bool:
    """Whether most non-ASCII bytes are invalid UTF-8. A UTF-8 text with one bad byte still decodes mostly."""
    text = data.decode("utf-8", "replace")
    # Counts bytes instead of building a list: a list for 16 MB of text would take more than a gigabyte.
    letters = len(text) - len(data.translate(None, BEYOND_ASCII))
    return text.count("\ufffd") * 2 > letters


def read(text: str, names: Mapping[str, Sequence[str]], required: Sequence[str], pace: Pace = iter) -> Table:
    """Read a table with a header line. `names`: the folded synonyms of each column.

    `pace` iterates over the lines and may yield to other greenthreads in between.
    Raises Invalid by line and column: at once for the header, for other lines when they are read.
    """
    reader = csv.reader(pace(io.StringIO(text, newline="")), delimiter=_separator(text), strict=True)
    try:
        header = next((cells for cells in reader if any(map(str.strip, cells))), [])
    except csv.Error as error:
        raise _invalid(1, "file_not_csv", reason=str(error)) from error
    known = {name: column for column, of_column in names.items() for name in (column, *of_column)}
    folded = [fold(cell) for cell in header]
    columns = [known.get(cell, "") for cell in folded]
    if errors := _header_errors(folded, columns, names, required):
        raise Invalid("file_has_errors", errors=in_line(reader.line_num or 1, errors))
    return Table(frozenset(filter(None, columns)), _lines(reader, columns))


def _header_errors(
    header: Sequence[str], columns: Sequence[str], names: Mapping[str, Sequence[str]], required: Sequence[str]
) -> FieldErrors:
    errors = {column: [field_error("missing_column")] for column in required if column not in columns}
    for position, (cell, column) in enumerate(zip(header, columns, strict=True)):
        if cell and not column:
            errors[cell] = [field_error("unknown_column", columns=list(names))]
        elif column in columns[:position] and column:
            errors[cell] = [field_error("duplicate_column")]
    return errors


def _separator(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _lines(reader: Any, columns: Sequence[str]) -> Iterator[Line]:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _invalid(number, "file_not_csv", reason=str(error)) from error
        if cells is None:
            return
        if any(map(str.strip, cells)):
            yield Line(number, _cells(cells, columns), _has_extra_cells(cells, columns))


def _cells(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    filled = {column: plain(cell.strip()) for column, cell in zip(columns, cells, strict=False) if column}
    return dict.fromkeys(filter(None, columns), "") | filled


def _has_extra_cells(cells: Sequence[str], columns: Sequence[str]) -> bool:
    unnamed = [cell for cell, column in zip(cells, columns, strict=False) if not column]
    return any(map(str.strip, [*unnamed, *cells[len(columns) :]]))


def _invalid(line: int, code: str, **params: Any) -> Invalid:
    return Invalid("file_has_errors", errors={str(line): [field_error(code, **params)]})
