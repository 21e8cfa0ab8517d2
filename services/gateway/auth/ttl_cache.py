"""What was looked up a moment ago, so that a busy caller does not cost a query for every request."""

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

MOST = 10_000


class TTLCache(Generic[Key, Found]):
    """Remembers what was found for `seconds`, counted from when it was asked for; what was not found is asked again."""

    def __init__(self, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._kept: dict[Key, tuple[float, Found]] = {}
        self._forgotten = 0

    def get(self, key: Key, look_up: Callable[[], Found | None]) -> Found | None:
        asked_at = self._now()
        if (kept := self._kept.get(key)) and kept[0] > asked_at:
            return kept[1]
        forgotten = self._forgotten
        found = look_up()
        # What was looked up while something was forgotten may be the very thing.
        if found is not None and forgotten == self._forgotten:
            self._make_room(asked_at)
            self._kept[key] = (asked_at + self._seconds, found)
        return found

    def forget(self, key: Key) -> None:
        self._forgotten += 1
        self._kept.pop(key, None)

    def _make_room(self, now: float) -> None:
        if len(self._kept) >= MOST:
            self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        if len(self._kept) >= MOST:
            self._kept.clear()
