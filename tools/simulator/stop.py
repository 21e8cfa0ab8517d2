"""The wish to stop, which a signal may bring at any moment."""

import signal
from time import monotonic, sleep
from types import FrameType

SLICE = 0.1


class Stop:
    """A flag and no lock, since a signal handler must not wait for the code it interrupted."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def wait(self, seconds: float) -> bool:
        """Whether the wish came before so many seconds were over."""
        until = monotonic() + seconds
        while not self.asked and (left := until - monotonic()) > 0:
            sleep(min(left, SLICE))
        return self.asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, signal.SIG_DFL)
