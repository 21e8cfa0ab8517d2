"""Log what blocks the event loop: under eventlet, code that computes or blocks stops all greenthreads."""

import json
import os
import sys
import traceback
from time import monotonic

import eventlet
from eventlet import patcher

from shared.plumbing import clock, metrics

MAX_LAG = 0.5
"""Seconds without a turn of the event loop after which the stack is logged."""
MAX_STACK_FRAMES = 20

_sleep = patcher.original("time").sleep
_threading = patcher.original("threading")


def watch(service: str, max_lag: float = MAX_LAG) -> None:
    """Watch the event loop of the calling thread, from a real thread: a greenthread would be blocked too."""
    turned_at, watched = [monotonic()], _threading.get_ident()

    def turn() -> None:
        while True:
            metrics.EVENT_LOOP_LAG.observe(max(monotonic() - turned_at[0] - max_lag / 5, 0.0))
            turned_at[0] = monotonic()
            eventlet.sleep(max_lag / 5)

    def check() -> None:
        reported = 0.0
        while True:
            _sleep(max_lag / 5)
            if monotonic() - turned_at[0] > max_lag and reported != turned_at[0]:
                reported = turned_at[0]
                _log(
                    service,
                    max_lag,
                    "".join(traceback.format_stack(sys._current_frames()[watched])[-MAX_STACK_FRAMES:]),
                )

    eventlet.spawn(turn)
    _threading.Thread(target=check, name="watchdog", daemon=True).start()


def _log(service: str, max_lag: float, stack: str) -> None:
    # Written directly: the locks of `logging` belong to the blocked event loop.
    about = {"level": "ERROR", "logger": __name__, "message": "event loop blocked", "seconds": max_lag}
    line = {"at": clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"), "service": service, **about}
    os.write(1, json.dumps(line | {"stack": stack}).encode() + b"\n")
