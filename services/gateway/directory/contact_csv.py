"""Read contacts from an uploaded CSV table, with all errors at once, and write contacts as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from services.gateway.directory.contacts import Contact
from services.gateway.directory.csv_reader import Line
from services.gateway.directory.schemas import NewContactSchema
from services.gateway.domain.cells import safe
from services.gateway.http import schemas
from services.gateway.http.pagination import Row
from shared.contracts.addresses import normalise
from shared.contracts.errors import FieldErrors, Invalid, field_error, in_line

COLUMNS = {
    "name": ("ім'я", "назва", "піб", "контакт", "абонент"),
    "number": ("номер", "телефон", "номер телефону"),
    "note": ("примітка", "нотатка", "коментар"),
}
"""The columns of a contact table, with their Ukrainian synonyms."""
REQUIRED_COLUMNS = ("name", "number")
MAX_CONTACTS = 50_000
MAX_ERRORS = 1000
NEW_CONTACT = NewContactSchema()


def parse_contacts(lines: Iterable[Line], region: str) -> list[Contact]:
    """The contacts of a table. Raises Invalid with the errors by line and column, of at most MAX_ERRORS lines."""
    contacts: dict[str, Contact] = {}
    first_lines: dict[str, int] = {}
    errors: FieldErrors = {}
    invalid_lines = 0
    try:
        for line in lines:
            if of_line := _add(line, region, contacts, first_lines):
                errors |= in_line(line.number, of_line)
                invalid_lines += 1
            if invalid_lines >= MAX_ERRORS:
                break
    except Invalid as error:
        errors |= error.errors
    if errors:
        raise Invalid("file_has_errors", errors=errors)
    return list(contacts.values())


def _add(line: Line, region: str, contacts: dict[str, Contact], first_lines: dict[str, int]) -> FieldErrors:
    """Add the contact of a line; the errors of the line. Raises Invalid when there are too many contacts."""
    try:
        contact = _contact(line, region)
    except Invalid as error:
        return error.errors
    errors: FieldErrors = {}
    if contact.number in contacts:
        errors["number"] = [field_error("duplicate_number", line=first_lines[contact.number])]
    if len(contacts) == MAX_CONTACTS:
        raise Invalid("too_many_contacts", params={"max": MAX_CONTACTS}, field=str(line.number))
    contacts[contact.number], first_lines[contact.number] = contact, first_lines.get(contact.number, line.number)
    return errors


def _contact(line: Line, region: str) -> Contact:
    if line.has_extra_cells:
        raise Invalid("cell_without_column", field="")
    fields = schemas.load(NEW_CONTACT, line.cells)
    return Contact(fields["name"], normalise(fields["number"], region), fields["note"])


def write_csv(pages: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Contacts as CSV in chunks: UTF-8 with a byte order mark for spreadsheets, without cells that are formulas."""
    yield "\ufeff".encode()
    yield _csv_rows([{column: column for column in COLUMNS}])
    for rows in pages:
        yield _csv_rows(rows)


def _csv_rows(rows: Iterable[Row]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([safe(row[column] or "") for column in COLUMNS] for row in rows)
    return buffer.getvalue().encode()
