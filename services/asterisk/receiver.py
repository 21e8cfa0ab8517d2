"""AmiReceiver the exchange again and again: what it says is on disk before anything else happens to it."""

import logging
import threading

from services.asterisk.ami_client import NotLoggedIn, listen
from services.asterisk.settings import Settings
from services.asterisk.spool import CONNECTED, DATA, Spool, SpoolWriteError
from shared.plumbing import clock

logger = logging.getLogger(__name__)

SHORTEST, LONGEST, MAX_REFUSED_PAUSE = 0.2, 15.0, 300.0
FIRST_REFUSED_PAUSE = 5.0
"""Seconds between attempts: a wrong password is not shown often, or the exchange bars who shows it."""


class AmiReceiver:
    def __init__(self, settings: Settings, spool: Spool, stopping: threading.Event) -> None:
        self._settings, self._spool, self._stopping = settings, spool, stopping
        self._logged_in, self._pause = False, SHORTEST

    def listen(self) -> None:
        """Until `stopping`. Who was let in begins anew with the shortest pause."""
        while not self._stopping.is_set():
            self._listen_once()
            self._stopping.wait(self._pause)

    def _listen_once(self) -> None:
        self._logged_in = False
        try:
            listen(self._settings, self._hear)
            logger.warning("the exchange hung up")
        except NotLoggedIn as error:
            self._pause = min(max(2 * self._pause, FIRST_REFUSED_PAUSE), MAX_REFUSED_PAUSE)
            told = {"answer": str(error), "again_in": self._pause}
            logger.error("wrong AMI_USER or AMI_SECRET", extra=told)  # noqa: TRY400
        except SpoolWriteError as error:
            self._pause = LONGEST
            told = {"folder": str(self._settings.spool), "error": str(error), "again_in": self._pause}
            logger.error("what the exchange says cannot be kept, and is lost", extra=told)  # noqa: TRY400
        except OSError as error:
            self._pause = min(2 * self._pause, LONGEST)
            logger.warning("no exchange", extra={"error": str(error), "again_in": self._pause})

    def _hear(self, chunk: bytes) -> None:
        """The first words of a connection are told to be of a new one."""
        if not self._logged_in:
            logger.info("logged in")
            self._spool.append(CONNECTED, clock.now())
            self._logged_in, self._pause = True, SHORTEST
        self._spool.append(DATA, clock.now(), chunk)
