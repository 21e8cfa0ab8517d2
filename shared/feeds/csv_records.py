"""Read the rows of an exchange's CSV file, in any encoding, without loading the whole file."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from shared.feeds.asterisk.stream import decode_line

MAX_ROW_SIZE = 64 * 1024
"""Bytes of a line."""
MAX_LINES_PER_ROW = 50
BYTE_ORDER_MARK = "\ufeff"
"""The first character of text files that some programs write."""


def read_records(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(lines, bytes) of each row. An unclosed quote makes only its own line invalid."""
    pending: list[bytes] = []
    while line := _line(file, pending):
        lines = [line]
        quotes = line.count(b'"')
        while quotes % 2 and len(lines) < MAX_LINES_PER_ROW and (more := _line(file, pending)):
            lines.append(more)
            quotes += more.count(b'"')
        if quotes % 2:
            pending.extend(reversed(lines[1:]))
            del lines[1:]
        yield len(lines), b"".join(lines)


def parse_fields(record: bytes) -> list[str]:
    """The fields of a row. Raises csv.Error."""
    return next(csv.reader([decode_line(record).removeprefix(BYTE_ORDER_MARK).rstrip("\r\n")], strict=True), [])


def _line(file: BinaryIO, pending: list[bytes]) -> bytes:
    return pending.pop() if pending else file.readline(MAX_ROW_SIZE)
