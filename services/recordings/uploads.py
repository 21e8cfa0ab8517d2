"""Receive an upload into a file in blocks, with its SHA-256."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from services.recordings.folder import storage_error
from shared.plumbing.cooperative import in_a_thread

BLOCK_SIZE = 256 * 1024


class IncompleteUpload(Exception):
    """The connection closed before the whole body was received."""


@contextmanager
def received_file(incoming: Path, read: Callable[[int], bytes], size: int) -> Iterator[tuple[Path, str]]:
    """Write `size` bytes from `read` to a new file: `(path, SHA-256)`. The file is deleted at the end of the block.

    The caller may move it elsewhere before. Raises IncompleteUpload, StorageFull and Unavailable.
    """
    path = incoming / str(uuid4())
    try:
        yield path, _receive(path, read, size)
    finally:
        path.unlink(missing_ok=True)


def _receive(path: Path, read: Callable[[int], bytes], size: int) -> str:
    digest, remaining = sha256(), size
    try:
        with path.open("xb", buffering=0) as file:
            while remaining and (block := _read_block(read, min(BLOCK_SIZE, remaining))):
                digest.update(block)
                in_a_thread(_write_all, file, block)
                remaining -= len(block)
            in_a_thread(os.fsync, file.fileno())
    except OSError as error:
        raise storage_error(error) from error
    if remaining:
        raise IncompleteUpload(IncompleteUpload.__doc__)
    return digest.hexdigest()


def _read_block(read: Callable[[int], bytes], max_size: int) -> bytes:
    try:
        return read(max_size)
    except (OSError, ValueError) as error:
        raise IncompleteUpload(IncompleteUpload.__doc__) from error


def _write_all(file: BinaryIO, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]
