"""Where the bytes are: a folder of this machine, or a bucket (`bucket.py`). An object is there whole or not at all."""

import errno
import logging
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from shared.contracts.errors import Unavailable
from shared.plumbing.cooperative import in_a_thread

logger = logging.getLogger(__name__)

PIECE = 256 * 1024
NOT_AT_ONCE = frozenset({errno.EAGAIN, errno.EOPNOTSUPP})
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class NoRoom(Exception):
    """There is no room for it."""


class Objects(Protocol):
    """Objects by id. What is to be kept is first written to a file in the folder `incoming`.

    All raise Unavailable when the store does not answer.
    """

    incoming: Path

    def keep(self, object_id: UUID, file: Path) -> None:
        """Make the file the object of that id, all of it at once, and safe from a loss of power. Raises NoRoom."""

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        """The bytes from `begin` up to `end`, in pieces; what is wrong is raised before the first.

        To close them gives back what they hold, whether any was taken or not.
        """

    def delete(self, object_id: UUID) -> None:
        """One that is not there is deleted already."""

    def listed(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        """Every object, with the time since when it is kept, some at a time. What is none of ours is left alone."""

    def forget_begun(self, until: datetime) -> None:
        """Give up what was begun to be kept before then, and is not there yet."""


def objects_of(config: Mapping[str, Any]) -> Objects:
    """The store that is configured: a folder, unless a bucket is named."""
    folder = Path(config["RECORDINGS_FOLDER"])
    if not config["RECORDINGS_BUCKET"]:
        return Folder(folder)
    # Not above: it weighs 30 MB, which who keeps recordings in a folder need not carry.
    from services.recordings.bucket import Bucket

    return Bucket(folder, config["RECORDINGS_BUCKET"], config["RECORDINGS_ENDPOINT"] or None)


class Folder:
    """Objects as files. Whatever waits for the disk does so in a thread: everybody else goes on."""

    def __init__(self, root: Path) -> None:
        self.incoming, self._kept = root / "incoming", root / "kept"
        for folder in (self.incoming, self._kept):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, object_id: UUID, file: Path) -> None:
        in_a_thread(_settle, file, self._path(object_id))

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        try:
            file = in_a_thread(os.open, self._path(object_id), os.O_RDONLY)
        except OSError as error:
            raise Unavailable("The store of recordings does not answer.") from error
        return begun(_pieces(file, begin, end))

    def delete(self, object_id: UUID) -> None:
        in_a_thread(self._path(object_id).unlink, missing_ok=True)

    def listed(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        others = 0
        for shelf in in_a_thread(lambda: sorted(self._kept.iterdir())):
            found, left_alone = in_a_thread(_on_shelf, shelf)
            others += left_alone
            yield found
        tell_of(others, self._kept)

    def forget_begun(self, until: datetime) -> None:
        in_a_thread(forget_incoming, self.incoming, until)

    def _path(self, object_id: UUID) -> Path:
        return self._kept / object_id.hex[:2] / str(object_id)


def refused(error: OSError) -> NoRoom | Unavailable:
    """A disk's refusal in our words."""
    return NoRoom() if error.errno in NO_ROOM else Unavailable("The store of recordings does not answer.")


def _settle(file: Path, path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file.replace(path)
        _sync(path.parent)
        _sync(path.parent.parent)
    except OSError as error:
        raise refused(error) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begun(pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """Past their first, empty piece: what has not begun is closed without a word, and what it holds stays open."""
    next(pieces)
    return pieces


def _pieces(file: int, begin: int, end: int) -> Generator[bytes, None, None]:
    try:
        yield b""
        while begin < end and (piece := _piece(file, begin, min(PIECE, end - begin))):
            yield piece
            begin += len(piece)
    finally:
        os.close(file)


def _piece(file: int, begin: int, size: int) -> bytes:
    """What the system has in memory is read at once; who must wait for the disk, waits in a thread."""
    if _is_in_memory(file, begin) and _is_in_memory(file, begin + size - 1):
        return os.pread(file, size, begin)
    return in_a_thread(os.pread, file, size, begin)


def _is_in_memory(file: int, place: int) -> bool:
    try:
        return bool(os.preadv(file, [bytearray(1)], place, os.RWF_NOWAIT))
    except OSError as error:
        if error.errno not in NOT_AT_ONCE:
            raise
        return False


def _on_shelf(shelf: Path) -> tuple[list[tuple[UUID, datetime]], int]:
    """The objects there, and how much else."""
    if not shelf.is_dir():
        return [], 1
    found, others = list[tuple[UUID, datetime]](), 0
    for path in shelf.iterdir():
        if object_id := id_of(path.name):
            # One that is deleted meanwhile is not there.
            with suppress(FileNotFoundError):
                found.append((object_id, _changed_at(path)))
        else:
            others += 1
    return found, others


def id_of(name: str) -> UUID | None:
    """The object of that name; None for what others have put there."""
    with suppress(ValueError):
        if name == str(object_id := UUID(name)):
            return object_id
    return None


def tell_of(others: int, place: Path | str) -> None:
    """What is none of ours is left alone, but somebody should know."""
    if others:
        logger.warning("others keep something among the recordings", extra={"place": str(place), "count": others})


def forget_incoming(folder: Path, until: datetime) -> None:
    """Delete files that stopped coming in before then."""
    for path in folder.iterdir():
        # One that is put in its place meanwhile is none of those.
        with suppress(FileNotFoundError):
            if path.is_file() and _changed_at(path) < until:
                path.unlink()


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
