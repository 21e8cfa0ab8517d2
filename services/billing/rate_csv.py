"""Read a price list as a spreadsheet saves it: columns named like the fields of a rate, in any order.

The decimal point may be a comma.
"""

from collections.abc import Iterator, Mapping

from services.billing.schemas import COLUMNS, checked
from shared.contracts.billing.events import Rate
from shared.contracts.billing.rates import REQUIRED_COLUMNS
from shared.csv_tables import decode, read_rows, unreadable

AMOUNTS = ("per_minute", "connection_fee", "minimal_charge")


def read(content: bytes) -> list[Rate]:
    """The rates of the file. Raises Invalid with the errors by line and column."""
    return checked(_rates(read_rows(decode(content))), "")


def _rates(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    columns: list[str] | None = None
    for line, cells in rows:
        if columns is None:
            columns = _columns(cells, line)
        elif len(cells) != len(columns):
            raise unreadable(str(line), "wrong_number_of_cells", cells=len(cells), columns=len(columns))
        else:
            yield line, _row(columns, cells)
    if columns is None:
        raise unreadable("1", "file_empty", columns=REQUIRED_COLUMNS)


def _columns(cells: list[str], line: int) -> list[str]:
    columns = [cell.lower() for cell in cells]
    for column in columns:
        if column not in COLUMNS:
            raise unreadable(f"{line}.{column}".rstrip("."), "unknown_column", columns=list(COLUMNS))
        if columns.count(column) > 1:
            raise unreadable(f"{line}.{column}", "duplicate_column")
    for column in REQUIRED_COLUMNS:
        if column not in columns:
            raise unreadable(f"{line}.{column}", "missing_column")
    return columns


def _row(columns: list[str], cells: list[str]) -> Mapping[str, str]:
    """The filled cells, and an empty `prefix` or `line` too, which matches every number or line."""
    row = {column: cell for column, cell in zip(columns, cells, strict=True) if cell or column in ("prefix", "line")}
    for column in AMOUNTS:
        if column in row:
            row[column] = row[column].replace(",", ".")
    return row
