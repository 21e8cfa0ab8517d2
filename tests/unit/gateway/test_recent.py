"""What was looked up a moment ago is not asked for again, and never outlives being forgotten."""

from services.gateway.auth import ttl_cache
from services.gateway.auth.ttl_cache import TTLCache


class Register:
    """A clock and a table that counts how often it is asked."""

    def __init__(self) -> None:
        self.now, self.asked = 0.0, 0
        self.table = {"a": "Ольга"}

    def look_up(self) -> str | None:
        self.asked += 1
        return self.table.get("a")


def test_within_the_second_it_is_remembered():
    register = Register()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)
    known.get("a", register.look_up)
    register.now = 0.999
    assert (known.get("a", register.look_up), register.asked) == ("Ольга", 1)


def test_after_the_second_it_is_asked_for_again():
    register = Register()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)
    known.get("a", register.look_up)
    register.now = 1.0
    assert (known.get("a", register.look_up), register.asked) == ("Ольга", 2)


def test_what_is_not_there_is_asked_for_every_time():
    register = Register()
    register.table.clear()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)
    assert [known.get("a", register.look_up) for _ in range(3)] == [None] * 3
    assert register.asked == 3


def test_what_is_forgotten_is_asked_for_again():
    register = Register()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)
    known.get("a", register.look_up)
    known.forget("a")
    register.table.clear()
    assert known.get("a", register.look_up) is None


def test_what_was_being_looked_up_while_it_was_forgotten_is_not_remembered():
    register = Register()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)

    def forgotten_meanwhile() -> str | None:
        found = register.look_up()
        known.forget("a")
        return found

    known.get("a", forgotten_meanwhile)
    register.table.clear()
    assert known.get("a", register.look_up) is None


def test_the_second_counts_from_the_question_not_from_the_answer():
    register = Register()
    known: TTLCache[str, str] = TTLCache(1.0, lambda: register.now)

    def slow() -> str | None:
        register.now += 0.9
        return register.look_up()

    known.get("a", slow)
    register.now = 1.1
    known.get("a", register.look_up)
    assert register.asked == 2


def test_it_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(ttl_cache, "MOST", 10)
    known: TTLCache[int, int] = TTLCache(1.0, lambda: 0.0)
    for key in range(100):
        known.get(key, lambda: 1)
    assert len(known._kept) <= 10
