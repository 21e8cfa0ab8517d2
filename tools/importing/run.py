"""One import: a source's pieces into batches, the place kept after each, and what was not understood written down."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.importing.pieces import Made, Piece, Place, Source
from tools.importing.sending import MOST, Sender

SHOWN_OF_ID = 60


@dataclass
class Count:
    rows: int = 0
    reports: int = 0
    calls: int = 0
    complaints: int = 0


@dataclass
class Notes:
    """Two files beside the source: where the import stands, and what could not be understood."""

    place_file: Path
    complaints_file: Path
    count: Count = field(default_factory=Count)

    @classmethod
    def beside(cls, source: Path, folder: Path | None = None) -> "Notes":
        home = folder or source.parent
        return cls(home / f"{source.name}.place", home / f"{source.name}.not-understood")

    def read(self) -> tuple[Place, int]:
        """(Where to begin, bytes that are done); the beginning where nothing was begun."""
        try:
            kept = json.loads(self.place_file.read_text())
        except FileNotFoundError:
            self.complaints_file.unlink(missing_ok=True)
            return {}, 0
        self.count = Count(**kept["count"])
        return kept["place"], kept["bytes"]

    def keep(self, place: Place, done: int) -> None:
        """The whole file at once: who is killed leaves the old one or the new."""
        new = self.place_file.with_name(f"{self.place_file.name}.new")
        new.write_text(json.dumps({"place": place, "bytes": done, "count": vars(self.count)}))
        new.replace(self.place_file)

    def complain(self, complaints: list[tuple[str, str]]) -> None:
        if complaints:
            self.count.complaints += len(complaints)
            with self.complaints_file.open("a", encoding="utf-8") as file:
                file.writelines(f"{where}: {what}\n" for where, what in complaints)
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> None:
        self.place_file.unlink(missing_ok=True)


def run(source: Source, sender: Sender, notes: Notes, tell: Callable[[int, Count], None]) -> Count:
    """All of the source from where it stands. `tell` hears of bytes done and of the count. Raises NotSent, Unusable."""
    place, done = notes.read()
    tell(done, notes.count)
    for batch in _batches(source.pieces(place)):
        done += batch.size
        notes.count.rows += batch.rows
        refused = sender.send([made.report for made in batch.reports])
        told = [(_name(batch.reports[index]), why) for index, why in sorted(refused.items())]
        notes.complain(batch.complaints + told)
        notes.count.reports += len(batch.reports) - len(refused)
        notes.count.calls += sum(made.report.get("type") == "placed" for made in batch.reports)
        notes.keep(source.place(), done)
        tell(done, notes.count)
    notes.finish()
    return notes.count


def _batches(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Pieces put together until they are worth sending; the source then stands behind the last of them."""
    size = rows = 0
    reports: list[Made] = []
    complaints: list[tuple[str, str]] = []
    for piece in pieces:
        size, rows = size + piece.size, rows + piece.rows
        reports += piece.reports
        complaints += piece.complaints
        if len(reports) >= MOST or rows >= 10 * MOST:
            yield Piece(size, reports, complaints, rows)
            size, rows, reports, complaints = 0, 0, [], []
    yield Piece(size, reports, complaints, rows)


def _name(made: Made) -> str:
    known = made.report.get("report_id")
    return f"{made.where}, report {str(known)[:SHOWN_OF_ID]}" if known else made.where
