"""Read CSV tables as spreadsheets save them: the encoding and the separator are detected, lines are numbered.

Errors are `Invalid("file_has_errors")`, by line number.
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Any

from shared.contracts.errors import Invalid, field_error

SEPARATORS = (",", ";", "\t")
UTF_16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ENCODINGS = ["UTF-8", "UTF-16", "Windows-1251"]
NON_ASCII_BYTES = bytes(range(0x80, 0x100))
Pace = Callable[[Iterable[str]], Iterable[str]]


def decode(data: bytes) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark, or Windows-1251. Raises Invalid with the undecodable line."""
    encoding = "utf-16" if data.startswith(UTF_16_BOMS) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        failure = error
    if not data.startswith((*UTF_16_BOMS, codecs.BOM_UTF8)) and _is_single_byte_text(data):
        encoding = "cp1251"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            failure = error
    # `start` is a position in `object`, which does not contain the byte order mark of UTF-8.
    decodable = failure.object[: failure.start].decode(encoding)
    line = sum(1 for _ in StringIO(f"{decodable}.", newline=""))
    raise unreadable(str(line), "file_not_text", encodings=ENCODINGS)


def read_rows(text: str, pace: Pace = iter) -> Iterator[tuple[int, list[str]]]:
    """The trimmed cells of each row that is not blank, with the number of the line in which the row begins.

    `pace` iterates over the lines and may yield to other greenthreads in between. Raises Invalid.
    """
    lines = pace(StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=_separator(text), strict=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise unreadable(str(line), "file_not_csv", reason=str(error)) from error


def unreadable(path: str, code: str, **params: Any) -> Invalid:
    """The error for one path in the file: `3` or `3.number` in line 3."""
    return Invalid("file_has_errors", errors={path: [field_error(code, **params)]})


def _separator(text: str) -> str:
    """The most frequent separator of the first line that is not blank."""
    header = next((line for line in StringIO(text, newline="") if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _is_single_byte_text(data: bytes) -> bool:
    """Whether most non-ASCII bytes are invalid UTF-8. A UTF-8 text with one bad byte still decodes mostly."""
    text = data.decode("utf-8", "replace")
    # Counts bytes instead of building a list: a list for 16 MB of text would take more than a gigabyte.
    letters = len(text) - len(data.translate(None, NON_ASCII_BYTES))
    return text.count("\ufffd") * 2 > letters
