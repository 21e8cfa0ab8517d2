"""`journal import …`: arguments, progress bar and summary."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shared.feeds.asterisk.cdr_call import Exchange
from tools import demonstration
from tools.importer.run import ImportCounts, ImportState, run
from tools.importer.sender import Sender, SendFailed
from tools.importer.sources import AsteriskCsv, FreeswitchFiles, ReportLines, Source, UnreadableSource

SPEED_WINDOW_SECONDS = 60
"""Seconds over which the speed is averaged to estimate the remaining time."""
ENVIRONMENT_NAMES = {"to": "BASE_URL", "tenant": "TENANT", "key": "INGEST_KEY"}


class ImportFailed(Exception):
    """The import cannot start; the text says what to do."""


def add_to(commands: Any) -> None:
    """Add the `import` commands to the `journal` parser."""
    parser = commands.add_parser("import", help="import old call records; run again to resume")
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    add = _kind(kinds, "asterisk-csv", "FILE", "Asterisk's Master.csv, or a CSV of detail records with a header")
    add.add_argument(
        "--trunks", default="", metavar="A,B", help="endpoints that are trunks (default: decide by number)"
    )
    add.add_argument("--phones", default="", metavar="BOB=102,…", help="numbers of endpoints with other names")
    add.add_argument("--zone", default="Europe/Kyiv", help="time zone of rows without a uniqueid")
    add = _kind(kinds, "freeswitch-json", "DIR", "files of mod_json_cdr or mod_xml_cdr")
    add = _kind(kinds, "reports", "FILE", "NDJSON: one report per line, as for POST /reports")


def _kind(kinds: Any, name: str, what: str, help_: str) -> argparse.ArgumentParser:
    add: argparse.ArgumentParser = kinds.add_parser(name, help=help_, description=help_)
    add.add_argument("source", type=Path, metavar=what)
    add.add_argument("--to", metavar="URL", help="address of the journal (default: BASE_URL, …)")
    add.add_argument("--tenant", help="company of the calls (default: TENANT, …)")
    add.add_argument("--key", help="an ingest key (default: INGEST_KEY, …)")
    add.add_argument("--notes", type=Path, metavar="DIR", help="folder for the import's own files")
    add.set_defaults(run=import_, kind=name)
    return add


def import_(arguments: argparse.Namespace) -> int:
    """Return 0 when every record was imported, else 1."""
    try:
        where = _target(arguments)
        source, sender = _source(arguments, where["tenant"]), Sender(where["to"], where["key"])
        notes = ImportState.beside(arguments.source, arguments.notes)
        count = _run_with_progress(source, sender, notes)
    except (ImportFailed, SendFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except UnreadableSource as error:
        print(f"{arguments.source}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or arguments.source}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{count.rows} records: {count.calls} calls, {count.reports} reports accepted.")
    if count.errors:
        print(f"{count.errors} records were rejected: see {notes.errors_file}.", file=sys.stderr)
    return int(bool(count.errors))


def _run_with_progress(source: Source, sender: Sender, notes: ImportState) -> ImportCounts:
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} records, {task.fields[wrong]} rejected, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=SPEED_WINDOW_SECONDS) as progress:
        _, begun_at = notes.read()
        task = progress.add_task("", total=max(source.size, 1), completed=begun_at, rows=0, wrong=0)

        def report_progress(done: int, count: ImportCounts) -> None:
            # After a restart some of the source is read twice.
            progress.update(task, completed=min(done, source.size), rows=count.rows, wrong=count.errors)

        return run(source, sender, notes, report_progress)


def _source(arguments: argparse.Namespace, tenant: str) -> Source:
    if arguments.kind == "reports":
        return ReportLines(arguments.source, tenant)
    if arguments.kind == "freeswitch-json":
        if not arguments.source.is_dir():
            raise ImportFailed(f"{arguments.source} is not a folder.")
        return FreeswitchFiles(arguments.source, tenant)
    try:
        zone = ZoneInfo(arguments.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ImportFailed(f"{arguments.zone} is not a time zone.") from error
    pairs = [pair.partition("=") for pair in _split_list(arguments.phones)]
    if wrong := [name for name, equals, number in pairs if not (name and equals and number)]:
        raise ImportFailed(f"--phones takes pairs such as bob=102; {wrong[0]!r} is not one.")
    phones = {name: number for name, _, number in pairs}
    trunks = frozenset(_split_list(arguments.trunks))
    return AsteriskCsv(arguments.source, Exchange(tenant=tenant, trunks=trunks, phones=phones, zone=zone))


def _split_list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _target(arguments: argparse.Namespace) -> dict[str, str]:
    stored = demonstration.read(demonstration.demo_env())
    found = {
        name: getattr(arguments, name) or os.environ.get(variable) or stored.get(variable, "")
        for name, variable in ENVIRONMENT_NAMES.items()
    }
    if missing := [name for name, value in found.items() if not value]:
        raise ImportFailed(
            f"Give --{missing[0]} or set {ENVIRONMENT_NAMES[missing[0]]}; 'make up' starts a system to try it on."
        )
    return found
