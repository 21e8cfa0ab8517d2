"""Work that waits for a disk, or computes, in a thread of its own: the other greenthreads go on meanwhile."""

from collections.abc import Callable
from typing import Any, TypeVar

from eventlet import tpool

Result = TypeVar("Result")


def in_a_thread(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """What `work` returns; raises what it raises."""
    result: Result = tpool.execute(work, *args, **kwargs)
    return result
