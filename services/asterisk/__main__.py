"""`python -m services.asterisk`: follow one Asterisk until SIGTERM. A second process may run beside it."""

# The runner patches threads to be green. It must be imported first.
from shared.plumbing import runner  # noqa: I001

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.asterisk.receiver import MAX_PAUSE, MIN_PAUSE, AmiReceiver
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
PENDING_UPLOADS, GAPS = "recordings", "gaps"


class Ami:
    def __init__(self, settings: Settings) -> None:
        self.stopping = threading.Event()
        if not settings.trunks:
            logger.warning("AMI_TRUNKS is empty: the direction of calls is guessed from their numbers")
        self._spool = Spool(settings.spool)
        self.receiver = AmiReceiver(settings, self._spool, self.stopping)
        self._recordings = _recordings(settings)
        self._report_publisher = ReportPublisher(
            self._spool,
            settings.spool,
            lambda: Translator(settings.tenant, settings.trunks),
            settings.region,
            self._recordings.schedule if self._recordings else lambda report: None,
            self._schedule_recovery,
        )
        self._gap_recovery = _gap_recovery(settings, self._report_publisher.is_live)
        self._publisher, self._recovery_publisher = Publisher(settings.amqp_uri), Publisher(settings.amqp_uri)

    def publish(self) -> None:
        pause = PUBLISH_INTERVAL
        while not self.stopping.wait(pause):
            try:
                self._report_publisher.publish_pending(self._publisher.publish)
                pause = PUBLISH_INTERVAL
            except Unavailable:
                pause = min(2 * max(pause, MIN_PAUSE), MAX_PAUSE)

    def sync(self) -> None:
        while not self.stopping.wait(SYNC_INTERVAL):
            self._spool.sync()

    def upload_due(self) -> None:
        while self._recordings and not self.stopping.wait(UPLOAD_INTERVAL):
            self._recordings.upload_due()

    def recover_gaps(self) -> None:
        pause = RECOVERY_INTERVAL
        while self._gap_recovery and not self.stopping.wait(pause):
            try:
                self._gap_recovery.recover_due(self._publish_recovered)
                pause = RECOVERY_INTERVAL
            except Unavailable:
                # The next attempt reads the file again.
                pause = min(2 * pause, MAX_PAUSE)

    def close(self) -> None:
        self._spool.sync()
        self._report_publisher.save_state()
        self._publisher.close()
        self._recovery_publisher.close()

    def _schedule_recovery(self, gap: Gap, connected_at: datetime) -> None:
        if self._gap_recovery:
            self._gap_recovery.schedule(gap, connected_at)

    def _publish_recovered(self, reports: list[dict[str, Any]]) -> None:
        self._recovery_publisher.publish(self._report_publisher.messages(reports))


def _recordings(settings: Settings) -> RecordingUpload | None:
    if settings.recordings is None:
        return None
    return RecordingUpload(
        settings.spool / PENDING_UPLOADS, settings.recordings, settings.base_url, settings.ingest_key
    )


def _gap_recovery(settings: Settings, is_live: Callable[[str], bool]) -> GapRecovery | None:
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
    listen, liveness = ami.receiver.listen, lambda: runner.touch_liveness_file(os.environ.get("ALIVE_FILE"))
    for work in (listen, ami.publish, ami.sync, ami.upload_due, ami.recover_gaps, liveness):
        threading.Thread(target=_exit_on_error, args=(work,), daemon=True).start()
    while not ami.stopping.wait(0.5):
        pass
    ami.close()
    return 0


def _exit_on_error(work: Callable[[], None]) -> None:
    """End the whole process when one thread fails, so that the supervisor restarts it."""
    try:
        work()
    except BaseException:
        logger.exception("a thread failed: the process ends")
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
