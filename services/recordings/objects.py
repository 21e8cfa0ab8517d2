"""The object store: where the bytes of recordings are. An object is complete or does not exist.

`folder.py` stores objects on this machine, `bucket.py` in S3; `stores.py` chooses by the configuration.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

logger = logging.getLogger(__name__)

CHUNK_SIZE = 256 * 1024


class StorageFull(Exception):
    """There is no space left in the store of recordings."""


class ObjectStore(Protocol):
    """Objects by id. A new object is first written to a file in the folder `incoming`.

    All methods raise Unavailable when the store does not respond.
    """

    incoming: Path

    def put(self, object_id: UUID, file: Path) -> None:
        """Move the file into the store, atomically and durably. Raises StorageFull."""

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        """The bytes from `begin` up to `end`, in chunks; an error is raised before the first chunk.

        Closing the generator releases its resources, also when it was never iterated.
        """

    def delete(self, object_id: UUID) -> None:
        """Delete an object; do nothing if it does not exist."""

    def list_objects(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        """Every object with the time it was stored, in batches. Files with other names are skipped."""

    def abort_stale_uploads(self, before: datetime) -> None:
        """Delete uploads that began before then and were not completed."""


def start(chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """Consume the empty first chunk: a generator that never ran would not run its cleanup when it is closed."""
    next(chunks)
    return chunks


def object_id_of(name: str) -> UUID | None:
    """The object with that name; None for a name that this service does not write."""
    with suppress(ValueError):
        if name == str(object_id := UUID(name)):
            return object_id
    return None


def warn_about_foreign_files(count: int, place: Path | str) -> None:
    if count:
        logger.warning("files of others among the recordings", extra={"place": str(place), "count": count})


def delete_stale_files(folder: Path, before: datetime) -> None:
    """Delete files whose upload stopped before then."""
    for path in folder.iterdir():
        # Another upload may be moved into the store meanwhile.
        with suppress(FileNotFoundError):
            if path.is_file() and modified_at(path) < before:
                path.unlink()


def modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
