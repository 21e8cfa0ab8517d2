"""Objects as files in a folder. Disk operations that block run in a thread."""

import errno
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from services.recordings.objects import (
    CHUNK_SIZE,
    StorageFull,
    delete_stale_files,
    modified_at,
    object_id_of,
    start,
    warn_about_foreign_files,
)
from shared.contracts.errors import Unavailable
from shared.plumbing.cooperative import in_a_thread

NO_WAIT_UNSUPPORTED = frozenset({errno.EAGAIN, errno.EOPNOTSUPP})
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.incoming, self._objects = root / "incoming", root / "kept"
        for folder in (self.incoming, self._objects):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, object_id: UUID, file: Path) -> None:
        in_a_thread(_move, file, self._path(object_id))

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        try:
            file = in_a_thread(os.open, self._path(object_id), os.O_RDONLY)
        except OSError as error:
            raise Unavailable("storage_unavailable") from error
        return start(_read_chunks(file, begin, end))

    def delete(self, object_id: UUID) -> None:
        in_a_thread(self._path(object_id).unlink, missing_ok=True)

    def list_objects(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        foreign = 0
        for subfolder in in_a_thread(lambda: sorted(self._objects.iterdir())):
            objects, foreign_here = in_a_thread(_list_subfolder, subfolder)
            foreign += foreign_here
            yield objects
        warn_about_foreign_files(foreign, self._objects)

    def abort_stale_uploads(self, before: datetime) -> None:
        in_a_thread(delete_stale_files, self.incoming, before)

    def _path(self, object_id: UUID) -> Path:
        return self._objects / object_id.hex[:2] / str(object_id)


def storage_error(error: OSError) -> StorageFull | Unavailable:
    """Translate an error of the disk."""
    return StorageFull() if error.errno in DISK_FULL else Unavailable("storage_unavailable")


def _move(file: Path, path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file.replace(path)
        _sync(path.parent)
        _sync(path.parent.parent)
    except OSError as error:
        raise storage_error(error) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_chunks(file: int, begin: int, end: int) -> Generator[bytes, None, None]:
    try:
        yield b""
        while begin < end and (chunk := _read_chunk(file, begin, min(CHUNK_SIZE, end - begin))):
            yield chunk
            begin += len(chunk)
    finally:
        os.close(file)


def _read_chunk(file: int, begin: int, size: int) -> bytes:
    """Read from the page cache directly, and from the disk in a thread."""
    if _is_cached(file, begin) and _is_cached(file, begin + size - 1):
        return os.pread(file, size, begin)
    return in_a_thread(os.pread, file, size, begin)


def _is_cached(file: int, position: int) -> bool:
    try:
        return bool(os.preadv(file, [bytearray(1)], position, os.RWF_NOWAIT))
    except OSError as error:
        if error.errno not in NO_WAIT_UNSUPPORTED:
            raise
        return False


def _list_subfolder(subfolder: Path) -> tuple[list[tuple[UUID, datetime]], int]:
    """The objects in a subfolder, and the number of other files."""
    if not subfolder.is_dir():
        return [], 1
    objects, foreign = list[tuple[UUID, datetime]](), 0
    for path in subfolder.iterdir():
        if object_id := object_id_of(path.name):
            # It may be deleted meanwhile.
            with suppress(FileNotFoundError):
                objects.append((object_id, modified_at(path)))
        else:
            foreign += 1
    return objects, foreign
