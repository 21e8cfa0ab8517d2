"""From the spool to the broker: translated in order, published with confirms, and resumed from a kept state.

The state is the translator as it was at a position of the spool, with the end of the stream that made no event yet.
After a `kill -9` it is read, and what came since is translated again into the same reports with the same ids, which are
one report each.

The state is versioned JSON: `{"format": 1, "state": {…}}`. One that cannot be read (another format, broken off, a field
that is missing, unknown or of another type, a position that the spool does not have) is discarded, with one message in
the log: then all that the spool still holds is translated again. A field that only a newer release knows is not
ignored, as the state would be wrong without it.

The spool keeps no segment that lies before the one with the saved position, so it is translated again from the
beginning of that segment. Calls that begin in it come to the same reports with the same ids. Calls that began before
it are translated like calls that were heard by half: their reports are estimates with ids of their own (`~seen`).
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
from services.asterisk.spool import CONNECTED, Heard, Position, Spool
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
AT_ONCE = 500
MAX_CLOCK_OFFSET = timedelta(seconds=60)
"""As billing sees it."""
BYTES_BETWEEN_STATES = 4 * 1024 * 1024
"""Bytes of the spool between two states: as much is translated again after a kill."""


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
        fresh: Callable[[], Translator],
        region: str,
        note: Callable[[dict[str, Any]], None] = lambda recorded: None,
        missed: Callable[[Gap, datetime], None] = lambda gap, connected_at: None,
    ) -> None:
        """`note` is given each report of a recording before it is published, `missed` each gap between connections."""
        self._spool, self._file, self._region = spool, folder / STATE, region
        self._note, self._missed, self._quarantine = note, missed, Quarantine(folder)
        self._unsent: list[Outgoing] = []
        self._clock_is_off = False
        self._position, self._stream, self._translator = Position(), AmiStream(), fresh()
        self._heard_at: datetime | None = None
        self._load_state()
        self._kept_at = self._position

    def tell(self, publish: Callable[[Sequence[Outgoing]], None]) -> int:
        """All that is in the spool by now. Raises Unavailable: then the same is told again by the next call.

        Answers how many records there were.
        """
        number, waiting = 0, self._unsent
        for heard, after in self._spool.read(self._position):
            number += 1
            self._position = after
            waiting += self.messages(self._translated(heard))
            if len(waiting) >= AT_ONCE:
                self._send(publish, waiting)
        self._send(publish, waiting)
        if (
            self._position.segment > self._kept_at.segment
            or self._position.offset - self._kept_at.offset > BYTES_BETWEEN_STATES
        ):
            self.keep()
        return number

    def _send(self, publish: Callable[[Sequence[Outgoing]], None], waiting: list[Outgoing]) -> None:
        if waiting:
            publish(waiting)
            waiting.clear()

    def keep(self) -> None:
        """Only when all that was translated is published. A full disk keeps the state before, and the spool with it."""
        if self._unsent:
            return
        try:
            self._write_state()
        except OSError as error:
            logger.error("the state cannot be kept", extra={"file": str(self._file), "error": str(error)})  # noqa: TRY400
            return
        self._kept_at = self._position
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
        """Does it go on, as far as has been heard?"""
        return self._translator.is_live(call)

    def _load_state(self) -> None:
        """Without a state, or with one that cannot be read, begin with what the spool still holds."""
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

    def _translated(self, heard: Heard) -> list[dict[str, Any]]:
        if heard.kind == CONNECTED:
            self._stream = AmiStream()
            if self._heard_at:
                off = self._translator.clock_offset
                gap = Gap(self._heard_at + off, heard.at + off, self._translator.calls)
                self._missed(gap, heard.at)
            return []
        self._heard_at = heard.at
        events = self._stream.feed(heard.data)
        reports_ = [report for event in events for report in self._made_of(event, heard.at)]
        self._look_at_clock()
        return reports_

    def _made_of(self, event: Event, at: datetime) -> list[dict[str, Any]]:
        """What no translator can bear is set aside: to die of it would be to die of it again after every start."""
        if event.get("response") == "Error" and event.get("actionid") == RESYNC_ACTION_ID:
            told = {"answer": event.get("message"), "needed": "write = reporting, in manager.conf"}
            logger.error("the exchange does not answer what lives: calls whose end was missed stay live", extra=told)
        try:
            return self._translator.feed(event, at)
        except Exception as error:
            logger.exception("an event is set aside", extra={"file": str(self._quarantine.file)})
            self._quarantine.put({"event": dict(event), "heard_at": at, "error": repr(error)})
            return []

    def _look_at_clock(self) -> None:
        """A wrong time is kept as the exchange tells it, and said once: prices wait for the receipt instead."""
        off = self._translator.clock_offset
        if (abs(off) > MAX_CLOCK_OFFSET) == self._clock_is_off:
            return
        self._clock_is_off = not self._clock_is_off
        told = "the exchange's clock is off" if self._clock_is_off else "the exchange's clock is right again"
        logger.warning(told, extra={"seconds_ahead": round(off.total_seconds())})

    def messages(self, told: Sequence[dict[str, Any]]) -> list[Outgoing]:
        """Reports as they are published."""
        return [message for report in told if (message := self._outgoing(report))]

    def _outgoing(self, report: dict[str, Any]) -> Outgoing | None:
        """None for what no contract takes: it is set aside."""
        try:
            [loaded] = reports.load([report])
        except Invalid as error:
            logger.exception("not a report", extra={"report": report["report_id"], "errors": error.errors})
            self._quarantine.put({"report": report, "errors": error.errors})
            return None
        normal = reports.normalised(loaded, self._region)
        if normal.type == RECORDED:
            self._note(report)
        return Outgoing("reports", normal.type, orjson.dumps(reports.dump(normal)))


def _read_state(data: bytes) -> SavedState:
    """Raises UnreadableState."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableState(f"no JSON: {error}") from error
    if not isinstance(document, dict) or document.keys() != {"format", "state"}:
        raise UnreadableState("no format and state")
    if document["format"] != FORMAT:
        raise UnreadableState(f"format {document['format']!r} instead of {FORMAT}")
    return _CODEC.load(document["state"])
