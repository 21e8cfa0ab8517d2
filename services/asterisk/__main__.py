"""`python -m services.asterisk`: hears one Asterisk until SIGTERM. A second one may run beside it."""

# The runner makes threads green before anything else is imported.
from shared.plumbing import runner  # noqa: I001

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.asterisk.receiver import LONGEST, SHORTEST, AmiReceiver
from services.asterisk.gap_recovery import Gap, GapRecovery
from services.asterisk.recording_upload import RecordingUpload
from services.asterisk.settings import Settings
from services.asterisk.spool import Spool
from services.asterisk.report_publisher import ReportPublisher
from shared.contracts.errors import Unavailable
from shared.feeds.asterisk.translator import Translator
from shared.feeds.asterisk.cdr_call import Exchange
from shared.plumbing import logs
from shared.plumbing.publisher import Publisher

logger = logging.getLogger(__name__)

SYNC_INTERVAL = 0.5
PUBLISH_INTERVAL = 0.05
UPLOAD_INTERVAL = 1.0
RECOVERY_INTERVAL = 1.0
NOTES, GAPS = "recordings", "gaps"


class Ami:
    def __init__(self, settings: Settings) -> None:
        self.stopping = threading.Event()
        if not settings.trunks:
            logger.warning("AMI_TRUNKS names no outside line: which calls come from one is guessed by their numbers")
        self._spool = Spool(settings.spool)
        self.receiver = AmiReceiver(settings, self._spool, self.stopping)
        self._recordings = _recordings(settings)
        self._report_publisher = ReportPublisher(
            self._spool,
            settings.spool,
            lambda: Translator(settings.tenant, settings.trunks),
            settings.region,
            self._recordings.note if self._recordings else lambda recorded: None,
            self._note_gap,
        )
        self._missed = _missed(settings, self._report_publisher.is_live)
        self._publisher, self._publisher_of_missed = Publisher(settings.amqp_uri), Publisher(settings.amqp_uri)

    def tell(self) -> None:
        pause = PUBLISH_INTERVAL
        while not self.stopping.wait(pause):
            try:
                self._report_publisher.tell(self._publisher.publish)
                pause = PUBLISH_INTERVAL
            except Unavailable:
                pause = min(2 * max(pause, SHORTEST), LONGEST)

    def sync(self) -> None:
        while not self.stopping.wait(SYNC_INTERVAL):
            self._spool.sync()

    def upload_due(self) -> None:
        while self._recordings and not self.stopping.wait(UPLOAD_INTERVAL):
            self._recordings.upload_due()

    def look_up(self) -> None:
        pause = RECOVERY_INTERVAL
        while self._missed and not self.stopping.wait(pause):
            try:
                self._missed.look(self._tell_missed)
                pause = RECOVERY_INTERVAL
            except Unavailable:
                # Each look reads the file anew.
                pause = min(2 * pause, LONGEST)

    def close(self) -> None:
        self._spool.sync()
        self._report_publisher.keep()
        self._publisher.close()
        self._publisher_of_missed.close()

    def _note_gap(self, gap: Gap, connected_at: datetime) -> None:
        if self._missed:
            self._missed.note(gap, connected_at)

    def _tell_missed(self, reports: list[dict[str, Any]]) -> None:
        self._publisher_of_missed.publish(self._report_publisher.messages(reports))


def _recordings(settings: Settings) -> RecordingUpload | None:
    if settings.recordings is None:
        return None
    return RecordingUpload(settings.spool / NOTES, settings.recordings, settings.base_url, settings.ingest_key)


def _missed(settings: Settings, is_live: Callable[[str], bool]) -> GapRecovery | None:
    if settings.records is None:
        return None
    exchange = Exchange(tenant=settings.tenant, trunks=settings.trunks, phones=settings.phones)
    return GapRecovery(settings.spool / GAPS, settings.records, exchange, is_live)


def main() -> int:
    logs.configure("asterisk")
    try:
        ami = Ami(Settings.from_environment(os.environ))
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for number in runner.SIGNALS:
        signal.signal(number, lambda *_: ami.stopping.set())
    listen, alive = ami.receiver.listen, lambda: runner.touch_liveness_file(os.environ.get("ALIVE_FILE"))
    for work in (listen, ami.tell, ami.sync, ami.upload_due, ami.look_up, alive):
        threading.Thread(target=_or_die, args=(work,), daemon=True).start()
    while not ami.stopping.wait(0.5):
        pass
    ami.close()
    return 0


def _or_die(work: Callable[[], None]) -> None:
    """Half a process is worse than none: whoever keeps it starts it again."""
    try:
        work()
    except BaseException:
        logger.exception("died")
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
