"""Work that waits for a disk, or computes, in a thread of its own: the other greenthreads go on meanwhile."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from eventlet import tpool

Given = ParamSpec("Given")
Result = TypeVar("Result")


def in_a_thread(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """What `work` returns; raises what it raises."""
    result: Result = tpool.execute(work, *args, **kwargs)
    return result
