"""`journal import …`: what is asked, the progress bar, and what is said at the end."""

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
from tools.importing.pieces import AsteriskCsv, FreeswitchFiles, ReportLines, Source, Unusable
from tools.importing.run import Count, Notes, run
from tools.importing.sending import NotSent, Sender

RECENT = 60
"""Seconds whose speed tells the time that is left: what is fast for a moment promises nothing."""
TOLD_BY = {"to": "BASE_URL", "tenant": "TENANT", "key": "INGEST_KEY"}


class NotImported(Exception):
    """Its text tells a person what to do."""


def add_to(commands: Any) -> None:
    """Hang the commands into those of `journal`."""
    parser = commands.add_parser("import", help="old records into the journal; begun again, it goes on")
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    add = _kind(kinds, "asterisk-csv", "FILE", "Asterisk's Master.csv, or a table of detail records with a head")
    add.add_argument("--trunks", default="", metavar="A,B", help="endpoints that are outside lines; else numbers tell")
    add.add_argument("--phones", default="", metavar="BOB=102,…", help="numbers of endpoints not named after them")
    add.add_argument("--zone", default="Europe/Kyiv", help="of the exchange's clock, if no uniqueid tells it")
    add = _kind(kinds, "freeswitch-json", "DIR", "files of mod_json_cdr or mod_xml_cdr")
    add = _kind(kinds, "reports", "FILE", "a report a line, as POST /reports takes them")


def _kind(kinds: Any, name: str, what: str, help_: str) -> argparse.ArgumentParser:
    add: argparse.ArgumentParser = kinds.add_parser(name, help=help_, description=help_)
    add.add_argument("source", type=Path, metavar=what)
    add.add_argument("--to", metavar="URL", help="of the journal (else BASE_URL, else the demonstration system)")
    add.add_argument("--tenant", help="whose calls (else TENANT, …)")
    add.add_argument("--key", help="an ingest key (else INGEST_KEY, …)")
    add.add_argument("--notes", type=Path, metavar="DIR", help="for what is kept of the import; else beside the source")
    add.set_defaults(run=import_, kind=name)
    return add


def import_(asked: argparse.Namespace) -> int:
    """0 when all was understood, 1 when something was not or was not sent."""
    try:
        where = _where(asked)
        source, sender = _source(asked, where["tenant"]), Sender(where["to"], where["key"])
        notes = Notes.beside(asked.source, asked.notes)
        count = _watched(source, sender, notes)
    except (NotImported, NotSent) as error:
        print(error, file=sys.stderr)
        return 1
    except Unusable as error:
        print(f"{asked.source}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or asked.source}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{count.rows} records: {count.calls} calls, {count.reports} reports accepted.")
    if count.complaints:
        print(f"{count.complaints} not understood: see {notes.complaints_file}.", file=sys.stderr)
    return int(bool(count.complaints))


def _watched(source: Source, sender: Sender, notes: Notes) -> Count:
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} records, {task.fields[wrong]} not understood, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=RECENT) as progress:
        _, begun_at = notes.read()
        task = progress.add_task("", total=max(source.size, 1), completed=begun_at, rows=0, wrong=0)

        def tell(done: int, count: Count) -> None:
            # After a break some of the source is read twice.
            progress.update(task, completed=min(done, source.size), rows=count.rows, wrong=count.complaints)

        return run(source, sender, notes, tell)


def _source(asked: argparse.Namespace, tenant: str) -> Source:
    if asked.kind == "reports":
        return ReportLines(asked.source, tenant)
    if asked.kind == "freeswitch-json":
        if not asked.source.is_dir():
            raise NotImported(f"{asked.source} is no folder.")
        return FreeswitchFiles(asked.source, tenant)
    try:
        zone = ZoneInfo(asked.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NotImported(f"{asked.zone} is no time zone.") from error
    pairs = [pair.partition("=") for pair in _words(asked.phones)]
    if wrong := [name for name, equals, number in pairs if not (name and equals and number)]:
        raise NotImported(f"--phones takes pairs such as bob=102; {wrong[0]!r} is none.")
    phones = {name: number for name, _, number in pairs}
    trunks = frozenset(_words(asked.trunks))
    return AsteriskCsv(asked.source, Exchange(tenant=tenant, trunks=trunks, phones=phones, zone=zone))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _where(asked: argparse.Namespace) -> dict[str, str]:
    told = demonstration.read(demonstration.demo_env())
    found = {name: getattr(asked, name) or os.environ.get(by) or told.get(by, "") for name, by in TOLD_BY.items()}
    if missing := [name for name, value in found.items() if not value]:
        raise NotImported(f"Say --{missing[0]}, or set {TOLD_BY[missing[0]]}; or 'make up' for a system to try it on.")
    return found
