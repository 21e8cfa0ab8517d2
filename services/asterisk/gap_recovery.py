"""What began or ended while nobody listened, from the exchange's own records where their file is seen from here.

A new connection tells what lives, never what has ended: that stands in `Master.csv`. Each time without a connection is
noted on disk and looked up three times, because a record comes when its call is over, and later still where the
exchange keeps records back (`batch` in cdr.conf, five minutes). A record tells the end of each second, so that where
another process heard the call its reports count: docs/decisions/0026-let-observed-reports-win-over-estimates.md.
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
from shared.feeds.asterisk.cdr_csv import Columns, Gathered, Gathering, NotUnderstood, Row
from shared.feeds.csv_records import fields_of, records_of
from shared.plumbing import clock

logger = logging.getLogger(__name__)

LOOKS = (timedelta(seconds=10), timedelta(seconds=60), timedelta(minutes=6))
"""After the connection; the first when the list of what lives has come."""
TAIL = 32 * 1024 * 1024
"""Bytes at the end of the file: some hundred thousand calls. What lies further back is for `journal import`."""
SECOND = timedelta(seconds=1)
MEANWHILE = {"answered", "ended"}
"""What is taken from the record of a call that was heard before the line was lost."""
TURN = 100
ENDING = ".json"


class Gap(NamedTuple):
    """Between two connections, by the exchange's clock; `heard` are the calls that lived when the first was lost."""

    since: datetime
    until: datetime
    heard: Sequence[str]


class GapRecovery:
    def __init__(
        self,
        folder: Path,
        records: Path,
        exchange: Exchange,
        is_live: Callable[[str], bool],
    ) -> None:
        """`is_live` tells whether the call of that key goes on: then the live connection tells of it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._records, self._exchange, self._is_live = folder, records, exchange, is_live
        self._looked, self._quarantine = dict[Path, int](), Quarantine(folder.parent)

    def note(self, gap: Gap, connected_at: datetime) -> None:
        """Noted twice it is one note."""
        path = self._folder / f"{connected_at:%Y%m%dT%H%M%S%f}{ENDING}"
        told = {"since": gap.since.isoformat(), "until": gap.until.isoformat(), "heard": list(gap.heard)}
        new = path.with_suffix(".new")
        with new.open("w") as file:
            json.dump({**told, "connected_at": connected_at.isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def look(self, tell: Callable[[list[dict[str, Any]]], None]) -> None:
        """Tell the reports of what was missed where it is time to look. What `tell` raises leaves it due."""
        due = {path: (gap, looks) for path, gap, looks in self._noted() if looks > self._looked.get(path, 0)}
        if due:
            self._fill([gap for gap, _ in due.values()], tell)
        for path, (_, looks) in due.items():
            self._looked[path] = looks
            if looks == len(LOOKS):
                path.unlink()
                del self._looked[path]

    def _noted(self) -> Iterator[tuple[Path, Gap, int]]:
        """With the number of looks whose time has come."""
        for path in sorted(self._folder.glob(f"*{ENDING}")):
            noted = json.loads(path.read_text())
            since, until, at = (datetime.fromisoformat(noted[of]) for of in ("since", "until", "connected_at"))
            yield path, Gap(since, until, noted["heard"]), sum(clock.now() - at >= wait for wait in LOOKS)

    def _fill(self, gaps: Sequence[Gap], tell: Callable[[list[dict[str, Any]]], None]) -> None:
        many = 0
        try:
            for reports in self._ended_in(gaps):
                tell(reports)
                many += 1
        except OSError as error:
            logger.warning("no records of what was missed", extra={"file": str(self._records), "error": str(error)})
        logger.info("looked up what was missed", extra={"since": gaps[0].since.isoformat(), "calls": many})

    def _ended_in(self, gaps: Sequence[Gap]) -> Iterator[list[dict[str, Any]]]:
        for key, rows, _ in self._calls():
            if not (reports := self._translated(key, rows)):
                continue
            ended_at = datetime.fromisoformat(reports[-1]["at"])
            within = [gap for gap in gaps if gap.since <= ended_at <= gap.until + SECOND]
            if within and not self._is_live(key):
                heard = any(key in gap.heard for gap in within)
                yield [report for report in reports if not heard or report["type"] in MEANWHILE]

    def _translated(self, key: str, rows: list[Row]) -> list[dict[str, Any]]:
        """Nothing of a record that nobody can bear: to die of it would be to die of it again after every start."""
        try:
            return translate(key, rows, self._exchange)
        except Exception as error:
            logger.exception("a record is set aside", extra={"call": key, "file": str(self._quarantine.file)})
            self._quarantine.put({"call": key, "rows": [list(map(str, row)) for row in rows], "error": repr(error)})
            return []

    def _calls(self) -> Iterator[Gathered]:
        gathering = Gathering()
        for number, row in enumerate(self._rows()):
            yield from gathering.feed(row, number)
            if number % TURN == 0:
                time.sleep(0)
        yield from gathering.finish()

    def _rows(self) -> Iterator[Row]:
        """What cannot be understood is for the import to complain of."""
        with self._records.open("rb") as file:
            columns = _columns(next((record for _, record in records_of(file)), b""))
            start = max(0, self._records.stat().st_size - TAIL)
            file.seek(start)
            if start:
                file.readline()
            for _, record in records_of(file):
                try:
                    yield columns.read(fields_of(record))
                except (NotUnderstood, csv.Error):
                    continue


def _columns(first: bytes) -> Columns:
    try:
        return Columns.of_head(fields_of(first)) or Columns()
    except (NotUnderstood, csv.Error):
        return Columns()
