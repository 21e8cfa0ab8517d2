"""A cache of look-ups, so that a busy caller does not cost a query for every request."""

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

from cachetools import TLRUCache

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MAX_ENTRIES = 10_000


class LookupCache(Generic[Key, Value]):
    """Keeps the result of a look-up for `seconds` from its start. A result of None is not kept."""

    def __init__(self, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._cache: TLRUCache[Key, tuple[float, Value]] = TLRUCache(
            MAX_ENTRIES, ttu=lambda key, entry, _: entry[0] + seconds, timer=now
        )
        self._invalidations = 0

    def get(self, key: Key, look_up: Callable[[], Value | None]) -> Value | None:
        started_at = self._now()
        if entry := self._cache.get(key):
            return entry[1]
        invalidations = self._invalidations
        value = look_up()
        # A look-up that ran during an invalidation may have read the old value.
        if value is not None and invalidations == self._invalidations:
            self._cache[key] = started_at, value
        return value

    def forget(self, key: Key) -> None:
        self._invalidations += 1
        self._cache.pop(key, None)
