"""Contacts from a table that somebody brings, every mistake in it told at once, and into one that others may read."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from services.gateway.directory.contacts import Contact
from services.gateway.directory.schemas import NewContactSchema
from services.gateway.domain.cells import safe
from services.gateway.domain.csv_reader import Line
from services.gateway.http import schemas
from services.gateway.http.pagination import Row
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json

COLUMNS = {
    "name": ("ім'я", "назва", "піб", "контакт", "абонент"),
    "number": ("номер", "телефон", "номер телефону"),
    "note": ("примітка", "нотатка", "коментар"),
}
"""The columns of a table of contacts, and other words for them."""
NEEDED = ("name", "number")
MOST = 50_000
MOST_ERRORS = 1000
NEW = NewContactSchema()


def contacts_of(lines: Iterable[Line], region: str) -> list[Contact]:
    """Raises Invalid with what is wrong by line and column, of the first thousand lines that are wrong."""
    found: dict[str, Contact] = {}
    first: dict[str, int] = {}
    errors: Json = {}
    try:
        for line in lines:
            _take(line, region, found, first, errors)
            if len(errors) >= MOST_ERRORS:
                break
    except Invalid as error:
        errors |= error.errors
    if errors:
        raise Invalid("Nothing was taken: some lines are wrong.", errors)
    return list(found.values())


def _take(line: Line, region: str, found: dict[str, Contact], first: dict[str, int], errors: Json) -> None:
    try:
        contact = _contact(line, region)
    except Invalid as error:
        errors[str(line.number)] = error.errors
        return
    if contact.number in found:
        errors[str(line.number)] = {"number": [f"Stands in line {first[contact.number]} already."]}
    if len(found) == MOST:
        raise Invalid("Too much.", {str(line.number): {"_schema": [f"At most {MOST} contacts are taken at once."]}})
    found[contact.number], first[contact.number] = contact, first.get(contact.number, line.number)


def _contact(line: Line, region: str) -> Contact:
    if line.spare:
        spare = ["Has a cell in no column: put quotes around what has a separator in it."]
        raise Invalid("Not a contact.", {"_schema": spare})
    sent = schemas.load(NEW, line.cells)
    return Contact(sent["name"], normalise(sent["number"], region), sent["note"])


def table_of(pages: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Contacts as CSV, some at a time: UTF-8 with the mark by which a spreadsheet knows it, every cell safe."""
    yield "\ufeff".encode()
    yield _written([{column: column for column in COLUMNS}])
    for rows in pages:
        yield _written(rows)


def _written(rows: Iterable[Row]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([safe(row[column] or "") for column in COLUMNS] for row in rows)
    return out.getvalue().encode()
