"""A stop request, set by SIGINT or SIGTERM."""

import signal
from time import monotonic, sleep
from types import FrameType

POLL_INTERVAL = 0.1


class Stop:
    """A flag without a lock: a signal handler must not wait for the code that it interrupted."""

    def __init__(self) -> None:
        self.requested = False

    def install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self._request)
        signal.signal(signal.SIGTERM, self._request)

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; return whether a stop was requested."""
        until = monotonic() + seconds
        while not self.requested and (left := until - monotonic()) > 0:
            sleep(min(left, POLL_INTERVAL))
        return self.requested

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, signal.SIG_DFL)
