"""Until when somebody waits for the work at hand."""

import math
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

DEADLINE = "deadline"
"""The name under which a request carries it: seconds since 1970."""

waits_until: ContextVar[float] = ContextVar("waits_until", default=math.inf)


def left() -> float:
    """Seconds; infinite for work that nobody waits for."""
    return waits_until.get() - time.time()


def before_deadline(data: Mapping[str, Any]) -> bool:
    """Whether somebody still waits for this greenthread's work; what it asks of others will end with its deadline."""
    deadline = data.get(DEADLINE)
    waits_until.set(deadline if isinstance(deadline, int | float) else math.inf)
    return left() > 0
