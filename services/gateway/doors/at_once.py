"""How many long answers somebody may take at once from this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from services.gateway.doors.guesses import too_many

AGAIN_AFTER = 1.0


class AtOnce:
    """`with places.place(caller.id):` while the answer lasts. Raises Problem 429 when all of a caller's are taken."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, Counter[UUID]()

    @contextmanager
    def place(self, who: UUID) -> Iterator[None]:
        if self._taken[who] >= self._most:
            raise too_many(AGAIN_AFTER, f"At most {self._most} exports at once.")
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
