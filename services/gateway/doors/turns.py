"""Long work in between which other requests run."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import eventlet

Item = TypeVar("Item")

AT_A_STRETCH = 50


def in_turns(many: Iterable[Item]) -> Iterator[Item]:
    """The same, letting other requests run now and then."""
    for number, item in enumerate(many, 1):
        yield item
        if number % AT_A_STRETCH == 0:
            eventlet.sleep(0)
