"""How many long answers somebody may take at once from this process."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from shared.http.problems import too_many

AGAIN_AFTER = 1.0


class AtOnce:
    """`with places.place(caller.id):` while the answer lasts. Raises Problem 429 when all of a caller's are taken."""

    def __init__(self, most: int, code: str) -> None:
        self._most, self._code, self._taken = most, code, Counter[Hashable]()

    @contextmanager
    def place(self, who: Hashable) -> Iterator[None]:
        if self._taken[who] >= self._most:
            raise too_many(self._code, AGAIN_AFTER, max=self._most)
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
