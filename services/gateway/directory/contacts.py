"""The contacts of a company: a name for each number, used in the journal's entries."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation

from services.gateway.domain.filters import SearchText
from services.gateway.domain.naming import fold
from services.gateway.http.cursors import Place
from services.gateway.http.pagination import Page, Row, containing, one, page
from shared.contracts.errors import Conflict, NotFound
from shared.plumbing.database import Postgres, as_rows

COLUMNS = "id, name, folded_name, number, note, created_at, updated_at"
CONTACTS = f"select {COLUMNS} from contacts where tenant = %(tenant)s and {{conditions}} {{order}}"
MATCHES_SEARCH = "(folded_name like %(name_part)s or lower(number) like %(number_part)s)"
CONTACT = f"select {COLUMNS} from contacts where tenant = %(tenant)s and id = %(id)s"
ADD_CONTACT = f"""
    insert into contacts (tenant, number, name, folded_name, note, created_at, updated_at)
    values (%(tenant)s, %(number)s, %(name)s, %(folded_name)s, %(note)s, %(at)s, %(at)s)
    returning {COLUMNS}
"""
CHANGE_CONTACT = f"""
    update contacts
       set number = %(number)s, name = %(name)s, folded_name = %(folded_name)s, note = %(note)s, updated_at = %(at)s
     where tenant = %(tenant)s and id = %(id)s
    returning {COLUMNS}
"""
DELETE_CONTACT = "delete from contacts where tenant = %(tenant)s and id = %(id)s"
NAME_OF_NUMBER = "select name from contacts where tenant = %(tenant)s and number = %(number)s"
IMPORT_CONTACTS = """
    with imported as (
        insert into contacts as known (tenant, number, name, folded_name, note, created_at, updated_at)
        select %(tenant)s, number, name, folded_name, note, %(at)s, %(at)s
          from json_to_recordset(%(rows)s) as imported (number text, name text, folded_name text, note text)
            on conflict (tenant, number) do update
           set name = excluded.name, folded_name = excluded.folded_name, updated_at = excluded.updated_at,
               note = case when %(with_notes)s then excluded.note else known.note end
         where known.name <> excluded.name or %(with_notes)s and known.note is distinct from excluded.note
        returning xmax = 0 as added
    )
    select count(*) filter (where added), count(*) filter (where not added) from imported
"""
EXPORT_BATCH_SIZE, IMPORT_BATCH_SIZE = 1000, 5000


class Contact(NamedTuple):
    """A contact with a normalised number."""

    name: str
    number: str
    note: str | None


class Imported(NamedTuple):
    added: int
    changed: int
    unchanged: int


def contacts(conn: Connection[Any], tenant: str, search: SearchText | None, limit: int, after: Place | None) -> Page:
    """A page of contacts by name; `search` matches a part of the name or the number."""
    conditions = [MATCHES_SEARCH] if search else []
    parts = {"name_part": containing(search.name), "number_part": containing(search.address)} if search else {}
    return page(conn, CONTACTS, {"tenant": tenant, **parts}, "folded_name", limit, after, *conditions)


def contact(conn: Connection[Any], tenant: str, contact_id: UUID) -> Row:
    """A contact. Raises NotFound."""
    return one(conn, CONTACT, {"tenant": tenant, "id": contact_id})


def add(conn: Connection[Any], tenant: str, new: Contact, at: datetime) -> Row:
    """Add a contact. Raises Conflict with the name of the contact that has the number."""
    return _write(conn, ADD_CONTACT, {"tenant": tenant, "at": at, **_columns(new)})


def change(conn: Connection[Any], tenant: str, contact_id: UUID, new: Contact, at: datetime) -> Row:
    """Replace a contact. Raises NotFound, and Conflict with the name of the contact that has the number."""
    return _write(conn, CHANGE_CONTACT, {"tenant": tenant, "id": contact_id, "at": at, **_columns(new)})


def delete(conn: Connection[Any], tenant: str, contact_id: UUID) -> None:
    """Delete a contact. Raises NotFound."""
    if conn.execute(DELETE_CONTACT, {"tenant": tenant, "id": contact_id}).rowcount == 0:
        raise NotFound


def import_contacts(
    conn: Connection[Any], tenant: str, imported: Sequence[Contact], with_notes: bool, at: datetime
) -> Imported:
    """Add contacts, and rename those whose number exists; `with_notes` replaces their notes too."""
    added = changed = 0
    # In order of the number, so that two imports cannot deadlock.
    rows = sorted(map(_columns, imported), key=lambda row: str(row["number"]))
    for first in range(0, len(rows), IMPORT_BATCH_SIZE):
        batch = as_rows(rows[first : first + IMPORT_BATCH_SIZE])
        values = {"tenant": tenant, "rows": batch, "with_notes": with_notes, "at": at}
        counts = conn.execute(IMPORT_CONTACTS, values).fetchone() or (0, 0)
        added, changed = added + counts[0], changed + counts[1]
    return Imported(added, changed, len(rows) - added - changed)


def iterate_contacts(db: Postgres, tenant: str) -> Iterator[Sequence[Row]]:
    """All contacts by name, in batches. Holds no connection between the batches."""
    after = None
    while True:
        with db.autocommit() as conn:
            rows, after = contacts(conn, tenant, None, EXPORT_BATCH_SIZE, after)
        yield rows
        if after is None:
            return


def _write(conn: Connection[Any], statement: str, values: Mapping[str, Any]) -> Row:
    try:
        with conn.transaction():
            return one(conn, statement, values)
    except UniqueViolation as error:
        (name,) = conn.execute(NAME_OF_NUMBER, values).fetchone() or ("another",)
        raise Conflict("contact_exists", params={"number": values["number"], "name": name}) from error


def _columns(contact: Contact) -> dict[str, Any]:
    return contact._asdict() | {"folded_name": fold(contact.name)}
