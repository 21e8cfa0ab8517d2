"""Call a method periodically, in every replica: the method must be idempotent and safe to run concurrently."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import eventlet
from eventlet.event import Event as Done
from nameko.extensions import Entrypoint

from shared.plumbing.database import is_outage

logger = logging.getLogger(__name__)


class Every(Entrypoint):
    """`@every(30)`: call the method, wait 30 seconds after its end, and repeat.

    Nameko's timer uses wall-clock time and would pause for an hour if the clock is set back by one.
    """

    def __init__(self, seconds: float, **kwargs: Any) -> None:
        self.seconds = seconds
        super().__init__(**kwargs)

    def setup(self) -> None:
        self._stop = Done()

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier=f"every {self.seconds} s")

    def stop(self) -> None:
        self._stop.send(True)
        self._thread.wait()

    def _run(self) -> None:
        while not self._stop.ready():
            with eventlet.Timeout(self.seconds, False):
                self._stop.wait()
                return
            done = Done()
            self.container.spawn_worker(self, (), {}, handle_result=partial(self._finish, done))
            done.wait()

    def _finish(self, done: Any, context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        if exc_info:
            level = logging.WARNING if is_outage(exc_info[1]) else logging.ERROR
            logger.log(
                level, "timer method failed, will run again", extra={"method": self.method_name}, exc_info=exc_info[1]
            )
        done.send(None)
        return result, exc_info


every: Callable[..., Any] = Every.decorator
