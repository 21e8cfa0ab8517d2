"""The ids of all calls that match a query at one instant; later changes do not affect the list."""

from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from uuid import UUID

BYTES_PER_ID = 16
MAX_BYTES_IN_MEMORY = 1024 * 1024
"""Above this the ids are written to a temporary file."""


class SpooledCallIds:
    """A list of call ids that is read page by page. The owner closes it."""

    def __init__(self, batches: Iterable[Sequence[bytes]]) -> None:
        self._file = SpooledTemporaryFile(max_size=MAX_BYTES_IN_MEMORY)  # noqa: SIM115  (closed by the owner)
        for batch in batches:
            self._file.write(b"".join(batch))
        self._file.seek(0)

    def pages(self, size: int) -> Iterator[list[UUID]]:
        while block := self._file.read(size * BYTES_PER_ID):
            yield [UUID(bytes=block[at : at + BYTES_PER_ID]) for at in range(0, len(block), BYTES_PER_ID)]

    def close(self) -> None:
        self._file.close()
