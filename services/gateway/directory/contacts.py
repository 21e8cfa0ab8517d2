"""The contacts of a company: a name for a number, which the journal shows wherever the number took part."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation

from services.gateway.domain.filters import Sought
from services.gateway.domain.naming import fold
from services.gateway.http.cursors import Place
from services.gateway.http.pagination import Page, Row, containing, one, page
from shared.contracts.errors import Conflict, NotFound
from shared.plumbing.database import Postgres, as_rows

COLUMNS = "id, name, folded_name, number, note, created_at, updated_at"
PAGE = f"select {COLUMNS} from contacts where tenant = %(tenant)s and {{conditions}} {{order}}"
FOUND = "(folded_name like %(name_part)s or lower(number) like %(number_part)s)"
ONE = f"select {COLUMNS} from contacts where tenant = %(tenant)s and id = %(id)s"
ADD = f"""
    insert into contacts (tenant, number, name, folded_name, note, created_at, updated_at)
    values (%(tenant)s, %(number)s, %(name)s, %(folded_name)s, %(note)s, %(at)s, %(at)s)
    returning {COLUMNS}
"""
CHANGE = f"""
    update contacts
       set number = %(number)s, name = %(name)s, folded_name = %(folded_name)s, note = %(note)s, updated_at = %(at)s
     where tenant = %(tenant)s and id = %(id)s
    returning {COLUMNS}
"""
DELETE = "delete from contacts where tenant = %(tenant)s and id = %(id)s"
NAME_OF = "select name from contacts where tenant = %(tenant)s and number = %(number)s"
BRING_IN = """
    with brought as (
        insert into contacts as known (tenant, number, name, folded_name, note, created_at, updated_at)
        select %(tenant)s, number, name, folded_name, note, %(at)s, %(at)s
          from json_to_recordset(%(rows)s) as brought (number text, name text, folded_name text, note text)
            on conflict (tenant, number) do update
           set name = excluded.name, folded_name = excluded.folded_name, updated_at = excluded.updated_at,
               note = case when %(with_notes)s then excluded.note else known.note end
         where known.name <> excluded.name or %(with_notes)s and known.note is distinct from excluded.note
        returning xmax = 0 as added
    )
    select count(*) filter (where added), count(*) filter (where not added) from brought
"""
EXPORTED_AT_ONCE, BROUGHT_AT_ONCE = 1000, 5000


class Contact(NamedTuple):
    """`number` is normalised."""

    name: str
    number: str
    note: str | None


class Imported(NamedTuple):
    added: int
    changed: int
    unchanged: int


def contacts(conn: Connection[Any], tenant: str, sought: Sought | None, limit: int, after: Place | None) -> Page:
    """By name; those with a part of the name or the number."""
    found = [FOUND] if sought else []
    parts = {"name_part": containing(sought.name), "number_part": containing(sought.address)} if sought else {}
    return page(conn, PAGE, {"tenant": tenant, **parts}, "folded_name", limit, after, *found)


def contact(conn: Connection[Any], tenant: str, contact_id: UUID) -> Row:
    """Raises NotFound."""
    return one(conn, ONE, {"tenant": tenant, "id": contact_id})


def add(conn: Connection[Any], tenant: str, new: Contact, at: datetime) -> Row:
    """Raises Conflict that says whose number it is already."""
    return _written(conn, ADD, {"tenant": tenant, "at": at, **_columns(new)})


def change(conn: Connection[Any], tenant: str, contact_id: UUID, new: Contact, at: datetime) -> Row:
    """Raises NotFound, and Conflict that says whose number it is already."""
    return _written(conn, CHANGE, {"tenant": tenant, "id": contact_id, "at": at, **_columns(new)})


def delete(conn: Connection[Any], tenant: str, contact_id: UUID) -> None:
    """Raises NotFound."""
    if conn.execute(DELETE, {"tenant": tenant, "id": contact_id}).rowcount == 0:
        raise NotFound


def bring_in(
    conn: Connection[Any], tenant: str, brought: Sequence[Contact], with_notes: bool, at: datetime
) -> Imported:
    """Add contacts, or give numbers that are known these names; notes stay as they are unless `with_notes`."""
    added = changed = 0
    # In order of the number, so that two imports cannot wait for each other.
    rows = sorted(map(_columns, brought), key=lambda row: str(row["number"]))
    for first in range(0, len(rows), BROUGHT_AT_ONCE):
        some = as_rows(rows[first : first + BROUGHT_AT_ONCE])
        values = {"tenant": tenant, "rows": some, "with_notes": with_notes, "at": at}
        counts = conn.execute(BRING_IN, values).fetchone() or (0, 0)
        added, changed = added + counts[0], changed + counts[1]
    return Imported(added, changed, len(rows) - added - changed)


def everyone(db: Postgres, tenant: str) -> Iterator[Sequence[Row]]:
    """All contacts by name, some at a time. No connection is held while they are passed on."""
    after = None
    while True:
        with db.autocommit() as conn:
            rows, after = contacts(conn, tenant, None, EXPORTED_AT_ONCE, after)
        yield rows
        if after is None:
            return


def _written(conn: Connection[Any], statement: str, values: Mapping[str, Any]) -> Row:
    try:
        with conn.transaction():
            return one(conn, statement, values)
    except UniqueViolation as error:
        (name,) = conn.execute(NAME_OF, values).fetchone() or ("another",)
        raise Conflict(f"{values['number']} is in Contacts already, as {name}.") from error


def _columns(contact: Contact) -> dict[str, Any]:
    return contact._asdict() | {"folded_name": fold(contact.name)}
