"""A look-up is cached for a time, and a cached value never outlives its invalidation."""

from services.gateway.auth import lookup_cache
from services.gateway.auth.lookup_cache import LookupCache


class Directory:
    """A clock and a table that counts its look-ups."""

    def __init__(self) -> None:
        self.now, self.look_ups = 0.0, 0
        self.table = {"a": "Ольга"}

    def look_up(self) -> str | None:
        self.look_ups += 1
        return self.table.get("a")


def test_within_the_time_a_value_is_not_looked_up_again():
    directory = Directory()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)
    cache.get("a", directory.look_up)
    directory.now = 0.999
    assert (cache.get("a", directory.look_up), directory.look_ups) == ("Ольга", 1)


def test_after_the_time_a_value_is_looked_up_again():
    directory = Directory()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)
    cache.get("a", directory.look_up)
    directory.now = 1.0
    assert (cache.get("a", directory.look_up), directory.look_ups) == ("Ольга", 2)


def test_a_missing_value_is_looked_up_every_time():
    directory = Directory()
    directory.table.clear()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)
    assert [cache.get("a", directory.look_up) for _ in range(3)] == [None] * 3
    assert directory.look_ups == 3


def test_a_forgotten_value_is_looked_up_again():
    directory = Directory()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)
    cache.get("a", directory.look_up)
    cache.forget("a")
    directory.table.clear()
    assert cache.get("a", directory.look_up) is None


def test_a_value_forgotten_during_its_look_up_is_not_cached():
    directory = Directory()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)

    def forget_meanwhile() -> str | None:
        value = directory.look_up()
        cache.forget("a")
        return value

    cache.get("a", forget_meanwhile)
    directory.table.clear()
    assert cache.get("a", directory.look_up) is None


def test_the_time_counts_from_the_start_of_the_look_up():
    directory = Directory()
    cache: LookupCache[str, str] = LookupCache(1.0, lambda: directory.now)

    def slow() -> str | None:
        directory.now += 0.9
        return directory.look_up()

    cache.get("a", slow)
    directory.now = 1.1
    cache.get("a", directory.look_up)
    assert directory.look_ups == 2


def test_the_number_of_entries_is_bounded(monkeypatch):
    monkeypatch.setattr(lookup_cache, "MAX_ENTRIES", 10)
    cache: LookupCache[int, int] = LookupCache(1.0, lambda: 0.0)
    for key in range(100):
        cache.get(key, lambda: 1)
    assert len(cache._cache) <= 10
