"""Tables as spreadsheets write them: CSV with a comma or a semicolon, UTF-8 or Windows-1251, columns in any order."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.gateway.domain.cells import plain
from services.gateway.domain.naming import fold
from shared.contracts.errors import Invalid

SEPARATORS = ",;"
BOM = b"\xef\xbb\xbf"
BEYOND_ASCII = bytes(range(0x80, 0x100))
Pace = Callable[[Iterable[str]], Iterable[str]]


class Line(NamedTuple):
    """A line of a table, counted as an editor counts them, its cells by column, and whether some are in none."""

    number: int
    cells: dict[str, str]
    spare: bool


class Table(NamedTuple):
    columns: frozenset[str]
    lines: Iterator[Line]


def decoded(data: bytes) -> str:
    """UTF-8, with or without a byte order mark, else Windows-1251. Raises Invalid by the line that is neither."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong_at = error.start
    if not data.startswith(BOM) and _is_one_byte_a_letter(data):
        try:
            return data.decode("cp1251")
        except UnicodeDecodeError as error:
            wrong_at = error.start
    raise _wrong(data.count(b"\n", 0, wrong_at) + 1, "", "Is neither UTF-8 nor Windows-1251.")


def _is_one_byte_a_letter(data: bytes) -> bool:
    """A text in UTF-8 with a byte gone wrong still has most of its letters; Windows-1251 has hardly any there."""
    text = data.decode("utf-8", "replace")
    # Counted, not gathered: sixteen megabytes of letters would be more than a gigabyte of them.
    letters = len(text) - len(data.translate(None, BEYOND_ASCII))
    return text.count("\ufffd") * 2 > letters


def read(text: str, names: Mapping[str, Sequence[str]], needed: Sequence[str], pace: Pace = iter) -> Table:
    """A table whose first line names its columns; `names` are the words for each, as `fold` makes them.

    Every line of the text is taken through `pace`, which may let others work in between.
    Raises Invalid by line and column: at once for the first line, and where others are not CSV while they are read.
    """
    reader = csv.reader(pace(io.StringIO(text, newline="")), delimiter=_separator(text), strict=True)
    try:
        header = next((cells for cells in reader if any(map(str.strip, cells))), [])
    except csv.Error as error:
        raise _wrong(1, "", f"Is not CSV: {error}.") from error
    known = {name: column for column, of_column in names.items() for name in (column, *of_column)}
    folded = [fold(cell) for cell in header]
    columns = [known.get(cell, "") for cell in folded]
    if errors := _wrong_header(folded, columns, names, needed):
        raise Invalid("The columns are not those of this table.", {str(reader.line_num or 1): errors})
    return Table(frozenset(filter(None, columns)), _lines(reader, columns))


def _wrong_header(
    header: Sequence[str], columns: Sequence[str], names: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> dict[str, list[str]]:
    errors = {column: ["There is no such column."] for column in needed if column not in columns}
    for place, (cell, column) in enumerate(zip(header, columns, strict=True)):
        if cell and not column:
            errors[cell] = [f"Not a column that is known: {', '.join(names)}."]
        elif column in columns[:place] and column:
            errors[cell] = ["There are two such columns."]
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
            raise _wrong(number, "", f"Is not CSV: {error}.") from error
        if cells is None:
            return
        if any(map(str.strip, cells)):
            yield Line(number, _cells(cells, columns), _spare(cells, columns))


def _cells(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    found = {column: plain(cell.strip()) for column, cell in zip(columns, cells, strict=False) if column}
    return dict.fromkeys(filter(None, columns), "") | found


def _spare(cells: Sequence[str], columns: Sequence[str]) -> bool:
    nameless = [cell for cell, column in zip(cells, columns, strict=False) if not column]
    return any(map(str.strip, [*nameless, *cells[len(columns) :]]))


def _wrong(line: int, column: str, what: str) -> Invalid:
    return Invalid("The table cannot be read.", {str(line): {column or "_schema": [what]}})
