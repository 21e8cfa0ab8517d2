"""The deadline of the request that the current greenthread works for."""

import math
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

DEADLINE = "deadline"
"""The context key of a request's deadline, in seconds since 1970."""

_deadline: ContextVar[float] = ContextVar("_deadline", default=math.inf)


def set_deadline(at: float) -> None:
    """Set the deadline of the current context, in seconds since 1970."""
    _deadline.set(at)


def remaining() -> float:
    """Seconds until the deadline; infinite for background work."""
    return _deadline.get() - time.time()


def before_deadline(data: Mapping[str, Any]) -> bool:
    """Set this greenthread's deadline from the request's context data; return whether it is still in the future."""
    deadline = data.get(DEADLINE)
    set_deadline(deadline if isinstance(deadline, int | float) else math.inf)
    return remaining() > 0
