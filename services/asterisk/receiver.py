"""Connect to the exchange again and again, and write what it sends to the spool before it is processed."""

import logging
import threading

from services.asterisk.ami_client import NotLoggedIn, listen
from services.asterisk.settings import Settings
from services.asterisk.spool import CONNECTED, DATA, Spool, SpoolWriteError
from shared.plumbing import clock

logger = logging.getLogger(__name__)

MIN_PAUSE, MAX_PAUSE, MAX_REFUSED_PAUSE = 0.2, 15.0, 300.0
FIRST_REFUSED_PAUSE = 5.0
"""Seconds between attempts. A refused password is retried rarely, as exchanges ban clients that fail often."""


class AmiReceiver:
    def __init__(self, settings: Settings, spool: Spool, stopping: threading.Event) -> None:
        self._settings, self._spool, self._stopping = settings, spool, stopping
        self._logged_in, self._pause = False, MIN_PAUSE

    def listen(self) -> None:
        """Reconnect until `stopping` is set. A successful login resets the pause."""
        while not self._stopping.is_set():
            self._listen_once()
            self._stopping.wait(self._pause)

    def _listen_once(self) -> None:
        self._logged_in = False
        try:
            listen(self._settings, self._receive)
            logger.warning("the exchange closed the connection")
        except NotLoggedIn as error:
            self._pause = min(max(2 * self._pause, FIRST_REFUSED_PAUSE), MAX_REFUSED_PAUSE)
            details = {"response": str(error), "retry_in": self._pause}
            logger.error("wrong AMI_USER or AMI_SECRET", extra=details)  # noqa: TRY400
        except SpoolWriteError as error:
            self._pause = MAX_PAUSE
            details = {"folder": str(self._settings.spool), "error": str(error), "retry_in": self._pause}
            logger.error("cannot write to the spool: events of the exchange are lost", extra=details)  # noqa: TRY400
        except OSError as error:
            self._pause = min(2 * self._pause, MAX_PAUSE)
            logger.warning("cannot connect to the exchange", extra={"error": str(error), "retry_in": self._pause})

    def _receive(self, chunk: bytes) -> None:
        """Append a chunk to the spool. A CONNECTED record precedes the first chunk of a connection."""
        if not self._logged_in:
            logger.info("logged in")
            self._spool.append(CONNECTED, clock.now())
            self._logged_in, self._pause = True, MIN_PAUSE
        self._spool.append(DATA, clock.now(), chunk)
