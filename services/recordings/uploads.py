"""Bytes on their way in: from a connection into a file, counted and digested, never held."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from services.recordings.objects import refused
from shared.plumbing.cooperative import in_a_thread

AT_ONCE = 256 * 1024


class Incomplete(Exception):
    """The connection broke off before all of it was here."""


@contextmanager
def received(incoming: Path, read: Callable[[int], bytes], size: int) -> Iterator[tuple[Path, str]]:
    """A file with the `size` bytes that `read` gives, safe on the disk, and their SHA-256; gone when the block ends.

    Unless it was moved elsewhere. Raises Incomplete, NoRoom and Unavailable.
    """
    path = incoming / str(uuid4())
    try:
        yield path, _write(path, read, size)
    finally:
        path.unlink(missing_ok=True)


def _write(path: Path, read: Callable[[int], bytes], size: int) -> str:
    digest, left = sha256(), size
    try:
        with path.open("xb", buffering=0) as file:
            while left and (piece := _read(read, min(AT_ONCE, left))):
                digest.update(piece)
                in_a_thread(_write_all, file, piece)
                left -= len(piece)
            in_a_thread(os.fsync, file.fileno())
    except OSError as error:
        raise refused(error) from error
    if left:
        raise Incomplete(Incomplete.__doc__)
    return digest.hexdigest()


def _read(read: Callable[[int], bytes], most: int) -> bytes:
    try:
        return read(most)
    except (OSError, ValueError) as error:
        raise Incomplete(Incomplete.__doc__) from error


def _write_all(file: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]
