"""What an exchange said, on disk before anything is made of it.

A folder of segments, each a row of records: a head of `length, crc32, kind, microseconds since 1970`, then the bytes.
What is appended survives the death of the process at once, and that of the machine after `sync`. A record that was
broken off in the middle is the end of its segment.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEAD = struct.Struct(">IIBQ")
DATA, CONNECTED = 0, 1
SEGMENT = 16 * 1024 * 1024
LONGEST = 1 << 20
ENDING = ".ami"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Position(NamedTuple):
    """Before a record: the number of its segment, and where in it."""

    segment: int = 0
    offset: int = 0


class Heard(NamedTuple):
    kind: int
    """DATA, or CONNECTED: what comes now comes from a new connection."""
    at: datetime
    data: bytes


class SpoolWriteError(Exception):
    """The disk does not take what was heard; says why."""


class Spool:
    def __init__(self, folder: Path, segment_size: int = SEGMENT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._segment_size = folder, segment_size
        # After whatever there is: a segment whose end was broken off is not written to again.
        self._number = max(self._numbers(), default=0) + 1
        self._file = self._path(self._number).open("ab", buffering=0)

    def append(self, kind: int, at: datetime, data: bytes = b"") -> None:
        """Raises SpoolWriteError: then what was appended before is whole, and what comes after will be read."""
        try:
            for start in range(0, max(len(data), 1), LONGEST):
                part = data[start : start + LONGEST]
                stamp = (at - EPOCH) // MICROSECOND
                self._write(HEAD.pack(len(part), zlib.crc32(part), kind, stamp) + part)
            if self._file.tell() >= self._segment_size:
                self._roll()
        except OSError as error:
            raise SpoolWriteError(str(error)) from error

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def read(self, position: Position) -> Iterator[tuple[Heard, Position]]:
        """What is there from `position` on, each with the position after it."""
        for number in [number for number in sorted(self._numbers()) if number >= position.segment]:
            with self._path(number).open("rb") as file:
                # Its end may have been lost with the machine's power, or the offset be no file's.
                file.seek(min(position.offset, self._size(number)) if number == position.segment else 0)
                while heard := _record(file.read(HEAD.size), file):
                    yield heard, Position(number, file.tell())

    def has(self, position: Position) -> bool:
        """Is it one of this spool's, though what was there may be forgotten, or lost with the machine's power?"""
        return 0 <= position.segment <= self._number and position.offset >= 0

    def forget(self, before: Position) -> None:
        """Segments that nobody will read again."""
        for number in self._numbers():
            if number < min(before.segment, self._number):
                self._path(number).unlink()

    def close(self) -> None:
        self._file.close()

    def _write(self, record: bytes) -> None:
        """The whole record or none of it: a full disk takes a part, and behind a half record nothing is read."""
        start, left = self._file.tell(), memoryview(record)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError:
            self._file.truncate(start)
            self._file.seek(start)
            raise

    def _roll(self) -> None:
        self.sync()
        new = self._path(self._number + 1).open("ab", buffering=0)
        self._file.close()
        self._file, self._number = new, self._number + 1

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._folder.glob(f"*{ENDING}")]

    def _size(self, number: int) -> int:
        return self._path(number).stat().st_size

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}{ENDING}"


def _record(head: bytes, file: BinaryIO) -> Heard | None:
    if len(head) < HEAD.size:
        return None
    length, sum_, kind, stamp = HEAD.unpack(head)
    data = file.read(length) if length <= LONGEST else b""
    if len(data) < length or zlib.crc32(data) != sum_:
        return None
    return Heard(kind, EPOCH + stamp * MICROSECOND, data)
