"""Read the lines of a CSV table by column: columns in any order, with synonyms, in any case."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from services.gateway.domain.cells import plain
from services.gateway.domain.naming import fold
from shared.contracts.errors import FieldErrors, Invalid, field_error, in_line
from shared.csv_tables import Pace, read_rows


class Line(NamedTuple):
    """A table line: its number in the file from 1, its cells by column, and whether it has cells in no column."""

    number: int
    cells: dict[str, str]
    has_extra_cells: bool


class Table(NamedTuple):
    columns: frozenset[str]
    lines: Iterator[Line]


def read(text: str, names: Mapping[str, Sequence[str]], required: Sequence[str], pace: Pace = iter) -> Table:
    """Read a table with a header line. `names`: the folded synonyms of each column.

    `pace` iterates over the lines and may yield to other greenthreads in between.
    Raises Invalid by line and column: at once for the header, for other lines when they are read.
    """
    rows = read_rows(text, pace)
    number, header = next(rows, (1, []))
    known = {name: column for column, of_column in names.items() for name in (column, *of_column)}
    folded = [fold(cell) for cell in header]
    columns = [known.get(cell, "") for cell in folded]
    if errors := _header_errors(folded, columns, names, required):
        raise Invalid("file_has_errors", errors=in_line(number, errors))
    return Table(frozenset(filter(None, columns)), _lines(rows, columns))


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


def _lines(rows: Iterator[tuple[int, list[str]]], columns: Sequence[str]) -> Iterator[Line]:
    for number, cells in rows:
        yield Line(number, _cells(cells, columns), _has_extra_cells(cells, columns))


def _cells(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    filled = {column: plain(cell) for column, cell in zip(columns, cells, strict=False) if column}
    return dict.fromkeys(filter(None, columns), "") | filled


def _has_extra_cells(cells: Sequence[str], columns: Sequence[str]) -> bool:
    unnamed = [cell for cell, column in zip(cells, columns, strict=False) if not column]
    return any([*unnamed, *cells[len(columns) :]])
