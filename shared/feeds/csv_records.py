"""The rows of a CSV file that an exchange wrote, in whatever encoding, told apart without reading it whole."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from shared.feeds.asterisk.stream import decode_line

LONGEST_ROW = 64 * 1024
"""Bytes of a line."""
MOST_LINES_OF_A_ROW = 50
MARK = "\ufeff"
"""What some programs begin a text file with."""


def records_of(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(lines, bytes) of each row. A quote that is never closed costs its own line only."""
    waiting: list[bytes] = []
    while line := _line(file, waiting):
        lines = [line]
        quotes = line.count(b'"')
        while quotes % 2 and len(lines) < MOST_LINES_OF_A_ROW and (more := _line(file, waiting)):
            lines.append(more)
            quotes += more.count(b'"')
        if quotes % 2:
            waiting.extend(reversed(lines[1:]))
            del lines[1:]
        yield len(lines), b"".join(lines)


def fields_of(record: bytes) -> list[str]:
    """Raises csv.Error."""
    return next(csv.reader([decode_line(record).removeprefix(MARK).rstrip("\r\n")], strict=True), [])


def _line(file: BinaryIO, waiting: list[bytes]) -> bytes:
    return waiting.pop() if waiting else file.readline(LONGEST_ROW)
