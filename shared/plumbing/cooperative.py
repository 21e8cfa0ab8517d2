"""Work that would keep the others waiting: in turns with them, or in a thread of its own."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import eventlet
from eventlet import tpool

T = TypeVar("T")


def cooperatively(many: Iterable[T], at_a_stretch: int = 50) -> Iterator[T]:
    """The same, with a turn for the other greenthreads now and then."""
    for number, one in enumerate(many):
        if number % at_a_stretch == 0:
            eventlet.sleep(0)
        yield one


def in_a_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What `work` returns, which waits for a disk or computes; raises what it raises."""
    result: T = tpool.execute(work, *args, **kwargs)
    return result
