"""Translate the spool in order, publish the reports with confirms, and resume from a saved state.

The state is that of the translator at a position of the spool, with the incomplete event at the end of the stream.
After a `kill -9` it is loaded, and later records are translated again into the same reports with the same ids.

The state is versioned JSON: `{"format": 1, "state": {…}}`. One that cannot be read (another format, truncated, a field
that is missing, unknown or of another type, a position that the spool does not have) is discarded, with one message in
the log: then all that the spool still holds is translated again. A field that only a newer release knows is not
ignored, as the state would be wrong without it.

The spool keeps no segment that lies before the one with the saved position, so it is translated again from the
beginning of that segment. Calls that begin in it come to the same reports with the same ids. Calls that began before
it are translated like partly observed calls: their reports are estimates with ids of their own (`~seen`).
The service calls takes the earlier instant, nearly always the one reported before; where the segment begins between
the last events of a call, its end may be estimated too early.
"""

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from services.asterisk.ami_client import RESYNC_ACTION_ID
from services.asterisk.gap_recovery import Gap
from services.asterisk.quarantine import Quarantine
from services.asterisk.spool import CONNECTED, Position, Spool, SpoolRecord
from shared.contracts.calls import reports
from shared.contracts.errors import Invalid
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator import Translator
from shared.feeds.state_codec import Codec, UnreadableState
from shared.plumbing.publisher import Outgoing

logger = logging.getLogger(__name__)

STATE = "state"
FORMAT = 1
"""Raise it with any change of what is saved: the fields of SavedState, those of the translator, or their meaning."""
RECORDED = "recorded"
MAX_BATCH_SIZE = 500
MAX_CLOCK_OFFSET = timedelta(seconds=60)
"""Billing uses the same limit."""
BYTES_BETWEEN_STATES = 4 * 1024 * 1024
"""Bytes of the spool between two saved states, which are translated again after a kill."""


class SavedState(NamedTuple):
    position: Position
    heard_at: datetime | None
    stream: AmiStream
    translator: dict[str, Any]


_CODEC = Codec(SavedState)


class ReportPublisher:
    def __init__(
        self,
        spool: Spool,
        folder: Path,
        new_translator: Callable[[], Translator],
        region: str,
        on_recording: Callable[[dict[str, Any]], None] = lambda report: None,
        on_gap: Callable[[Gap, datetime], None] = lambda gap, connected_at: None,
    ) -> None:
        """`on_recording` gets reports of recordings before they are published, `on_gap` gaps between connections."""
        self._spool, self._file, self._region = spool, folder / STATE, region
        self._on_recording, self._on_gap, self._quarantine = on_recording, on_gap, Quarantine(folder)
        self._unsent: list[Outgoing] = []
        self._is_clock_wrong = False
        self._position, self._stream, self._translator = Position(), AmiStream(), new_translator()
        self._heard_at: datetime | None = None
        self._load_state()
        self._saved_position = self._position

    def publish_pending(self, publish: Callable[[Sequence[Outgoing]], None]) -> int:
        """Publish the reports of all records in the spool, and return how many records were read.

        Raises Unavailable. The next call publishes the same reports again.
        """
        records, pending = 0, self._unsent
        for record, after in self._spool.read(self._position):
            records += 1
            self._position = after
            pending += self.messages(self._translate(record))
            if len(pending) >= MAX_BATCH_SIZE:
                self._send(publish, pending)
        self._send(publish, pending)
        if (
            self._position.segment > self._saved_position.segment
            or self._position.offset - self._saved_position.offset > BYTES_BETWEEN_STATES
        ):
            self.save_state()
        return records

    def _send(self, publish: Callable[[Sequence[Outgoing]], None], pending: list[Outgoing]) -> None:
        if pending:
            publish(pending)
            pending.clear()

    def save_state(self) -> None:
        """Save the state if all reports are published. If the disk is full, the last state and its spool remain."""
        if self._unsent:
            return
        try:
            self._write_state()
        except OSError as error:
            logger.error("cannot save the state", extra={"file": str(self._file), "error": str(error)})  # noqa: TRY400
            return
        self._saved_position = self._position
        self._spool.forget(self._position)

    def _write_state(self) -> None:
        new = self._file.with_suffix(".new")
        state = SavedState(self._position, self._heard_at, self._stream, self._translator.dump())
        with new.open("wb") as file:
            file.write(orjson.dumps({"format": FORMAT, "state": _CODEC.dump(state)}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)

    def is_live(self, call: str) -> bool:
        """Is the call live, by the events translated so far?"""
        return self._translator.is_live(call)

    def _load_state(self) -> None:
        """Load the state. Without a readable one, begin with the oldest record of the spool."""
        try:
            saved = _read_state(self._file.read_bytes())
            if not self._spool.has(saved.position):
                raise UnreadableState(f"the spool has no {saved.position}")
            self._translator.load(saved.translator)
        except FileNotFoundError:
            return
        except (OSError, UnreadableState) as error:
            message = "the saved state cannot be read: the spool is translated again from its beginning"
            logger.warning(message, extra={"file": str(self._file), "error": str(error)})
            return
        self._position, self._heard_at, self._stream = saved.position, saved.heard_at, saved.stream

    def _translate(self, record: SpoolRecord) -> list[dict[str, Any]]:
        if record.kind == CONNECTED:
            self._stream = AmiStream()
            if self._heard_at:
                offset = self._translator.clock_offset
                gap = Gap(self._heard_at + offset, record.at + offset, self._translator.calls)
                self._on_gap(gap, record.at)
            return []
        self._heard_at = record.at
        events = self._stream.feed(record.data)
        reports_ = [report for event in events for report in self._translate_event(event, record.at)]
        self._check_clock()
        return reports_

    def _translate_event(self, event: Event, at: datetime) -> list[dict[str, Any]]:
        """The reports of an event; none if it raises an error, which would repeat after every restart."""
        if event.get("response") == "Error" and event.get("actionid") == RESYNC_ACTION_ID:
            details = {"response": event.get("message"), "needed": "write = reporting, in manager.conf"}
            message = "the exchange refuses to list its channels: calls that ended without a connection stay live"
            logger.error(message, extra=details)
        try:
            return self._translator.feed(event, at)
        except Exception as error:
            logger.exception(
                "cannot translate an event: it is in the quarantine", extra={"file": str(self._quarantine.file)}
            )
            self._quarantine.put({"event": dict(event), "heard_at": at, "error": repr(error)})
            return []

    def _check_clock(self) -> None:
        """Log a wrong clock once. Reports keep the time of the exchange; billing uses the time of receipt instead."""
        offset = self._translator.clock_offset
        if (abs(offset) > MAX_CLOCK_OFFSET) == self._is_clock_wrong:
            return
        self._is_clock_wrong = not self._is_clock_wrong
        message = "the exchange's clock is off" if self._is_clock_wrong else "the exchange's clock is right again"
        logger.warning(message, extra={"seconds_ahead": round(offset.total_seconds())})

    def messages(self, reports_: Sequence[dict[str, Any]]) -> list[Outgoing]:
        """The messages of reports, as they are published. Invalid reports are left out."""
        return [message for report in reports_ if (message := self._message_of(report))]

    def _message_of(self, report: dict[str, Any]) -> Outgoing | None:
        """None for a report that the contract refuses: it goes to the quarantine."""
        try:
            [loaded] = reports.load([report])
        except Invalid as error:
            logger.exception(
                "an invalid report: it is in the quarantine",
                extra={"report": report["report_id"], "errors": error.errors},
            )
            self._quarantine.put({"report": report, "errors": error.errors})
            return None
        normal = reports.normalised(loaded, self._region)
        if normal.type == RECORDED:
            self._on_recording(report)
        return Outgoing("reports", normal.type, orjson.dumps(reports.dump(normal)))


def _read_state(data: bytes) -> SavedState:
    """Raises UnreadableState."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableState(f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.keys() != {"format", "state"}:
        raise UnreadableState("not an object with format and state")
    if document["format"] != FORMAT:
        raise UnreadableState(f"format {document['format']!r} instead of {FORMAT}")
    return _CODEC.load(document["state"])
