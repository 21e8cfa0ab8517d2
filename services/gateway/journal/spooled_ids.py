"""All calls that fit a question at one instant, by their ids: what changes later changes neither which nor how many."""

from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from uuid import UUID

SIZE = 16
IN_MEMORY = 1024 * 1024
"""Bytes, beyond which the ids are on disk."""


class Found:
    """Give it the ids, take them page by page, close it."""

    def __init__(self, keys: Iterable[Sequence[bytes]]) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (closed by who has it)
        for some in keys:
            self._file.write(b"".join(some))
        self._file.seek(0)

    def pages(self, size: int) -> Iterator[list[UUID]]:
        while block := self._file.read(size * SIZE):
            yield [UUID(bytes=block[at : at + SIZE]) for at in range(0, len(block), SIZE)]

    def close(self) -> None:
        self._file.close()
