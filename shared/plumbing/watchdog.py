"""Says what holds up all the rest: under eventlet whoever computes or waits without telling the hub stops everybody."""

import json
import os
import sys
import traceback
from time import monotonic

import eventlet
from eventlet import patcher

from shared.plumbing import clock, metrics

LATE = 0.5
"""Seconds without a turn of the hub that are too many."""
DEEPEST = 20

_sleep = patcher.original("time").sleep
_threading = patcher.original("threading")


def watch(service: str, late: float = LATE) -> None:
    """Call it in the thread whose hub is meant. A real thread looks on, since no greenthread could."""
    turned_at, watched = [monotonic()], _threading.get_ident()

    def turn() -> None:
        while True:
            metrics.HUB_GAP.observe(max(monotonic() - turned_at[0] - late / 5, 0.0))
            turned_at[0] = monotonic()
            eventlet.sleep(late / 5)

    def look() -> None:
        told_of = 0.0
        while True:
            _sleep(late / 5)
            if monotonic() - turned_at[0] > late and told_of != turned_at[0]:
                told_of = turned_at[0]
                _tell(service, late, "".join(traceback.format_stack(sys._current_frames()[watched])[-DEEPEST:]))

    eventlet.spawn(turn)
    _threading.Thread(target=look, name="watchdog", daemon=True).start()


def _tell(service: str, late: float, stack: str) -> None:
    # Not by `logging`: its locks are the hub's, and the hub stands still.
    about = {"level": "ERROR", "logger": __name__, "message": "nobody else has had a turn", "seconds": late}
    line = {"at": clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"), "service": service, **about}
    os.write(1, json.dumps(line | {"stack": stack}).encode() + b"\n")
