"""One import: send a source in batches, save a checkpoint after each batch, and write down rejected records."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.contracts.errors import FieldErrors, field_error
from tools.importer.sender import MAX_REPORTS_PER_REQUEST, Sender
from tools.importer.sources import Checkpoint, Chunk, LocatedReport, Source

MAX_ID_LENGTH_IN_ERRORS = 60


@dataclass
class ImportCounts:
    rows: int = 0
    reports: int = 0
    calls: int = 0
    errors: int = 0


@dataclass
class ImportState:
    """Two files beside the source: the checkpoint of the import, and the rejected records with reasons."""

    checkpoint_file: Path
    errors_file: Path
    count: ImportCounts = field(default_factory=ImportCounts)

    @classmethod
    def beside(cls, source: Path, folder: Path | None = None) -> "ImportState":
        home = folder or source.parent
        return cls(home / f"{source.name}.checkpoint", home / f"{source.name}.not-understood")

    def read(self) -> tuple[Checkpoint, int]:
        """Return (checkpoint, bytes done); ({}, 0) for an import that has not started."""
        saved = _read_json(self.checkpoint_file) or self._read_of_earlier_release()
        if saved is None:
            self.errors_file.unlink(missing_ok=True)
            return {}, 0
        self.count = ImportCounts(**saved["count"])
        return saved["checkpoint"], saved["bytes"]

    def _read_of_earlier_release(self) -> dict[str, Any] | None:
        """The checkpoint of an import that release 0.1 started: another file name, other field names."""
        saved = _read_json(self._earlier_file)
        if saved is None:
            return None
        count = saved["count"]
        count["errors"] = count.pop("complaints")
        return {"checkpoint": saved["place"], "bytes": saved["bytes"], "count": count}

    @property
    def _earlier_file(self) -> Path:
        return self.checkpoint_file.with_suffix(".place")

    def save(self, checkpoint: Checkpoint, done: int) -> None:
        """Replace the checkpoint atomically; a killed process leaves the old file or the new one."""
        new = self.checkpoint_file.with_name(f"{self.checkpoint_file.name}.new")
        new.write_text(json.dumps({"checkpoint": checkpoint, "bytes": done, "count": vars(self.count)}))
        new.replace(self.checkpoint_file)

    def record_errors(self, errors: list[tuple[str, FieldErrors]]) -> None:
        """Write down where the errors are and which, in the shape of `POST /reports`: by path."""
        if errors:
            self.count.errors += len(errors)
            with self.errors_file.open("a", encoding="utf-8") as file:
                file.writelines(f"{where}: {json.dumps(found, ensure_ascii=False)}\n" for where, found in errors)
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> None:
        self.checkpoint_file.unlink(missing_ok=True)
        self._earlier_file.unlink(missing_ok=True)


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    return content


def run(
    source: Source, sender: Sender, state: ImportState, report_progress: Callable[[int, ImportCounts], None]
) -> ImportCounts:
    """Import the source from its checkpoint on. Raises SendFailed and UnreadableSource.

    `report_progress` is called with the bytes done and the counts after every batch.
    """
    checkpoint, done = state.read()
    report_progress(done, state.count)
    for batch in _batches(source.chunks(checkpoint)):
        done += batch.size
        state.count.rows += batch.rows
        refused = sender.send([located.report for located in batch.reports])
        unreadable = [(where, _unreadable(reason)) for where, reason in batch.errors]
        rejected = [(_location(batch.reports[index]), errors) for index, errors in sorted(refused.items())]
        state.record_errors(unreadable + rejected)
        state.count.reports += len(batch.reports) - len(refused)
        state.count.calls += sum(located.report.get("type") == "placed" for located in batch.reports)
        state.save(source.checkpoint(), done)
        report_progress(done, state.count)
    state.finish()
    return state.count


def _unreadable(reason: str) -> FieldErrors:
    return {"": [field_error("record_not_understood", reason=reason)]}


def _batches(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Join chunks until they fill a request; the source's checkpoint is then behind the last one."""
    size = rows = 0
    reports: list[LocatedReport] = []
    errors: list[tuple[str, str]] = []
    for chunk in chunks:
        size, rows = size + chunk.size, rows + chunk.rows
        reports += chunk.reports
        errors += chunk.errors
        if len(reports) >= MAX_REPORTS_PER_REQUEST or rows >= 10 * MAX_REPORTS_PER_REQUEST:
            yield Chunk(size, reports, errors, rows)
            size, rows, reports, errors = 0, 0, [], []
    yield Chunk(size, reports, errors, rows)


def _location(located: LocatedReport) -> str:
    known = located.report.get("report_id")
    return f"{located.where}, report {str(known)[:MAX_ID_LENGTH_IN_ERRORS]}" if known else located.where
