"""A service whose driver stops all else while it waits: BLOCKS says for how long, and how often."""

import math
import os
from collections.abc import Callable
from itertools import count
from typing import Any

from eventlet import patcher
from psycopg import waiting

from tests.service.plumbing.doubles import Answers

_wait, _sleep = waiting.wait, patcher.original("time").sleep


def _after(seconds: float, times: float) -> Callable[..., Any]:
    so_far = count()

    def wait(*arguments: Any, **more: Any) -> Any:
        if next(so_far) < times:
            _sleep(seconds)
        return _wait(*arguments, **more)

    return wait


waiting.wait = {
    "throughout": waiting.wait_c,
    "a tenth of a second": _after(0.1, math.inf),
    "once": _after(0.3, 1),
}[os.environ["BLOCKS"]]

__all__ = ["Answers"]
