"""Recover calls that began or ended without a connection from the exchange's `Master.csv`, if it is mounted here.

A new connection lists live channels, never those that ended. Each gap between connections is saved on disk and looked
up three times, because a record is written when its call is over, and later if the exchange batches records (`batch`
in cdr.conf, five minutes). Recovered times are the end of a second, so that the reports of another process that
received the events win: docs/decisions/0026-let-observed-reports-win-over-estimates.md.
"""

import csv
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from services.asterisk.quarantine import Quarantine
from shared.feeds.asterisk.cdr_call import Exchange, translate
from shared.feeds.asterisk.cdr_csv import CallGrouper, CallRows, Columns, InvalidRecord, Row
from shared.feeds.csv_records import parse_fields, read_records
from shared.plumbing import clock

logger = logging.getLogger(__name__)

LOOKUP_DELAYS = (timedelta(seconds=10), timedelta(seconds=60), timedelta(minutes=6))
"""After the connection. The first leaves time for the list of live channels to arrive."""
MAX_BYTES_READ = 32 * 1024 * 1024
"""Bytes at the end of the file: some hundred thousand calls. Older ones need `journal import`."""
SECOND = timedelta(seconds=1)
TYPES_AFTER_DISCONNECT = {"answered", "ended"}
"""The reports made of the record of a call that was observed before the connection was lost."""
ROWS_PER_YIELD = 100
SUFFIX = ".json"


class Gap(NamedTuple):
    """The time between two connections, by the exchange's clock.

    `live_calls` are the keys of the calls that were live when the first connection was lost.
    """

    since: datetime
    until: datetime
    live_calls: Sequence[str]


class GapRecovery:
    def __init__(
        self,
        folder: Path,
        records: Path,
        exchange: Exchange,
        is_live: Callable[[str], bool],
    ) -> None:
        """`is_live`: is the call of that key live? Then the live connection reports it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._records, self._exchange, self._is_live = folder, records, exchange, is_live
        self._lookups_done, self._quarantine = dict[Path, int](), Quarantine(folder.parent)

    def schedule(self, gap: Gap, connected_at: datetime) -> None:
        """Save a gap to be looked up. Scheduling the same connection again replaces it."""
        path = self._folder / f"{connected_at:%Y%m%dT%H%M%S%f}{SUFFIX}"
        document = {"since": gap.since.isoformat(), "until": gap.until.isoformat(), "heard": list(gap.live_calls)}
        new = path.with_suffix(".new")
        with new.open("w") as file:
            json.dump({**document, "connected_at": connected_at.isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def recover_due(self, publish: Callable[[list[dict[str, Any]]], None]) -> None:
        """Publish the reports of gaps whose lookup is due. If `publish` raises, the lookup stays due."""
        due = {
            path: (gap, lookups)
            for path, gap, lookups in self._scheduled()
            if lookups > self._lookups_done.get(path, 0)
        }
        if due:
            self._publish_calls_of([gap for gap, _ in due.values()], publish)
        for path, (_, lookups) in due.items():
            self._lookups_done[path] = lookups
            if lookups == len(LOOKUP_DELAYS):
                path.unlink()
                del self._lookups_done[path]

    def _scheduled(self) -> Iterator[tuple[Path, Gap, int]]:
        """Each scheduled gap with the number of lookups that are due by now."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            document = json.loads(path.read_text())
            since, until, at = (datetime.fromisoformat(document[name]) for name in ("since", "until", "connected_at"))
            yield path, Gap(since, until, document["heard"]), sum(clock.now() - at >= wait for wait in LOOKUP_DELAYS)

    def _publish_calls_of(self, gaps: Sequence[Gap], publish: Callable[[list[dict[str, Any]]], None]) -> None:
        calls = 0
        try:
            for reports in self._ended_in(gaps):
                publish(reports)
                calls += 1
        except OSError as error:
            logger.warning(
                "cannot read the records of the exchange: calls of the gap are missing",
                extra={"file": str(self._records), "error": str(error)},
            )
        logger.info("looked up the calls of a gap", extra={"since": gaps[0].since.isoformat(), "calls": calls})

    def _ended_in(self, gaps: Sequence[Gap]) -> Iterator[list[dict[str, Any]]]:
        for key, rows, _ in self._calls():
            if not (reports := self._translate(key, rows)):
                continue
            ended_at = datetime.fromisoformat(reports[-1]["at"])
            within = [gap for gap in gaps if gap.since <= ended_at <= gap.until + SECOND]
            if within and not self._is_live(key):
                observed = any(key in gap.live_calls for gap in within)
                yield [report for report in reports if not observed or report["type"] in TYPES_AFTER_DISCONNECT]

    def _translate(self, key: str, rows: list[Row]) -> list[dict[str, Any]]:
        """The reports of a call; none if its record raises an error, which would repeat after every restart."""
        try:
            return translate(key, rows, self._exchange)
        except Exception as error:
            logger.exception(
                "cannot translate a record: it is in the quarantine",
                extra={"call": key, "file": str(self._quarantine.file)},
            )
            self._quarantine.put({"call": key, "rows": [list(map(str, row)) for row in rows], "error": repr(error)})
            return []

    def _calls(self) -> Iterator[CallRows]:
        grouper = CallGrouper()
        for number, row in enumerate(self._rows()):
            yield from grouper.feed(row, number)
            if number % ROWS_PER_YIELD == 0:
                time.sleep(0)
        yield from grouper.finish()

    def _rows(self) -> Iterator[Row]:
        """The valid rows at the end of the file. `journal import` reports invalid ones."""
        with self._records.open("rb") as file:
            columns = _columns(next((record for _, record in read_records(file)), b""))
            start = max(0, self._records.stat().st_size - MAX_BYTES_READ)
            file.seek(start)
            if start:
                file.readline()
            for _, record in read_records(file):
                try:
                    yield columns.read(parse_fields(record))
                except (InvalidRecord, csv.Error):
                    continue


def _columns(first: bytes) -> Columns:
    try:
        return Columns.from_header(parse_fields(first)) or Columns()
    except (InvalidRecord, csv.Error):
        return Columns()
