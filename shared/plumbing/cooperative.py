"""Long work under eventlet: yield to other greenthreads now and then, or run in a thread."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import eventlet
from eventlet import tpool

T = TypeVar("T")


def cooperatively(items: Iterable[T], per_turn: int = 50) -> Iterator[T]:
    """Yield the items; after every `per_turn` of them, let other greenthreads run."""
    for number, item in enumerate(items):
        if number % per_turn == 0:
            eventlet.sleep(0)
        yield item


def in_a_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run `work`, which blocks or computes, in a thread; return its result or raise its error."""
    result: T = tpool.execute(work, *args, **kwargs)
    return result
