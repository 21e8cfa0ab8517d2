"""Received bytes of an exchange, on disk before they are processed.

A folder of segments. Each is a sequence of records: a header `length, crc32, kind, microseconds since 1970`, then the
bytes. An appended record survives the end of the process at once, and that of the machine after `sync`. An incomplete
record ends its segment.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEADER = struct.Struct(">IIBQ")
DATA, CONNECTED = 0, 1
SEGMENT_SIZE = 16 * 1024 * 1024
MAX_RECORD_SIZE = 1 << 20
SUFFIX = ".ami"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Position(NamedTuple):
    """The place before a record: the number of its segment and the offset in it, in bytes."""

    segment: int = 0
    offset: int = 0


class SpoolRecord(NamedTuple):
    kind: int
    """DATA, or CONNECTED: the records after it come from a new connection."""
    at: datetime
    data: bytes


class SpoolWriteError(Exception):
    """The disk does not accept the record. The message gives the reason."""


class Spool:
    def __init__(self, folder: Path, segment_size: int = SEGMENT_SIZE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._segment_size = folder, segment_size
        # Begin a new segment: an existing one may end in an incomplete record.
        self._number = max(self._numbers(), default=0) + 1
        self._file = self._path(self._number).open("ab", buffering=0)

    def append(self, kind: int, at: datetime, data: bytes = b"") -> None:
        """Append one record, or several if `data` is long.

        Raises SpoolWriteError. Records before and after the failed one stay readable.
        """
        try:
            for start in range(0, max(len(data), 1), MAX_RECORD_SIZE):
                part = data[start : start + MAX_RECORD_SIZE]
                stamp = (at - EPOCH) // MICROSECOND
                self._write(HEADER.pack(len(part), zlib.crc32(part), kind, stamp) + part)
            if self._file.tell() >= self._segment_size:
                self._roll()
        except OSError as error:
            raise SpoolWriteError(str(error)) from error

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def read(self, position: Position) -> Iterator[tuple[SpoolRecord, Position]]:
        """The records from `position` on, each with the position after it."""
        for number in [number for number in sorted(self._numbers()) if number >= position.segment]:
            with self._path(number).open("rb") as file:
                # The end of the file may be lost after a power failure, or the offset may be invalid.
                file.seek(min(position.offset, self._size(number)) if number == position.segment else 0)
                while record := _read_record(file.read(HEADER.size), file):
                    yield record, Position(number, file.tell())

    def has(self, position: Position) -> bool:
        """Is it a position of this spool? Its record may be deleted, or lost in a power failure."""
        return 0 <= position.segment <= self._number and position.offset >= 0

    def forget(self, before: Position) -> None:
        """Delete the segments that lie before `before`."""
        for number in self._numbers():
            if number < min(before.segment, self._number):
                self._path(number).unlink()

    def close(self) -> None:
        self._file.close()

    def _write(self, record: bytes) -> None:
        """Write the whole record or nothing: a full disk may accept a part, and records behind a part are not read."""
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
        return [int(path.stem) for path in self._folder.glob(f"*{SUFFIX}")]

    def _size(self, number: int) -> int:
        return self._path(number).stat().st_size

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}{SUFFIX}"


def _read_record(header: bytes, file: BinaryIO) -> SpoolRecord | None:
    if len(header) < HEADER.size:
        return None
    length, sum_, kind, stamp = HEADER.unpack(header)
    data = file.read(length) if length <= MAX_RECORD_SIZE else b""
    if len(data) < length or zlib.crc32(data) != sum_:
        return None
    return SpoolRecord(kind, EPOCH + stamp * MICROSECOND, data)
