"""Contacts: names for numbers, singly and as CSV."""

from itertools import chain
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory import contact_csv, contacts, csv_reader, schemas
from services.gateway.directory.contacts import Contact
from services.gateway.domain.filters import parse_search_text
from services.gateway.domain.permissions import LEADERS, PEOPLE, READERS, RateLimit
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.list_response import listed, place
from services.gateway.http.pagination import Row
from shared import csv_tables
from shared.contracts.addresses import normalise
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer, bytes_of
from shared.plumbing import clock
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import Connection

IMPORT_LIMIT = 16 * 1024 * 1024
CSV = "text/csv"
NEW, CONTACT, CONTACTS, IMPORTED = (
    schemas.NewContactSchema(),
    schemas.ContactSchema(),
    schemas.ContactsSchema(),
    schemas.ImportedSchema(),
)
ATTACHED = {"Content-Disposition": 'attachment; filename="contacts.csv"'}


def find_contact(group: EndpointGroup, context: RequestContext, contact_id: UUID) -> Row:
    with group.db.autocommit() as conn:
        return contacts.contact(conn, context.caller.tenant, contact_id)


def find_contact_to_change(group: EndpointGroup, context: RequestContext, conn: Connection, contact_id: UUID) -> Row:
    return contacts.contact(conn, context.caller.tenant, contact_id)


def read_import(context: RequestContext) -> tuple[list[Contact], bool]:
    """The contacts of the CSV, and whether it has notes. Raises Problem 415 and 408, Invalid."""
    if context.request.mimetype != CSV:
        raise Problem("wrong_content_type", params={"expected": CSV})
    text = csv_tables.decode(bytes_of(context.request))
    table = csv_reader.read(text, contact_csv.COLUMNS, contact_csv.REQUIRED_COLUMNS, cooperatively)
    return contact_csv.parse_contacts(table.lines, context.account.region), "note" in table.columns


class ContactEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/contacts", roles=READERS, query=schemas.SearchQuerySchema(), answers={200: CONTACTS})
    def list_contacts(self, context: RequestContext) -> Response:
        """Contacts by name; `q` is part of a name or a number."""
        query, caller = context.query, context.caller
        search = None if query["q"] is None else parse_search_text(query["q"], caller.region)
        with self.db.autocommit() as conn:
            page = contacts.contacts(conn, caller.tenant, search, query["limit"], place(query))
        return listed(CONTACTS, "contacts", page)

    @endpoint("GET", "/api/v1/contacts/<contact_id>", roles=READERS, scope=find_contact, answers={200: CONTACT})
    def show_contact(self, context: RequestContext, contact_id: UUID) -> Response:
        """One contact."""
        return answer(CONTACT.dump(context.resource))

    @endpoint(
        "POST",
        "/api/v1/contacts",
        roles=PEOPLE,
        body=NEW,
        answers={201: CONTACT, 409: PROBLEM},
        transactional=True,
    )
    def add_contact(self, context: RequestContext, conn: Connection) -> Response:
        """Add a contact: a name for a number."""
        new = _contact(context.body, context.account.region)
        contact = contacts.add(conn, context.account.tenant, new, clock.now())
        return answer(CONTACT.dump(contact), 201)

    @endpoint(
        "PUT",
        "/api/v1/contacts/<contact_id>",
        roles=PEOPLE,
        scope=find_contact_to_change,
        body=NEW,
        answers={200: CONTACT, 409: PROBLEM},
        transactional=True,
    )
    def change_contact(self, context: RequestContext, conn: Connection, contact_id: UUID) -> Response:
        """Replace the name, the number and the note."""
        new = _contact(context.body, context.account.region)
        contact = contacts.change(conn, context.account.tenant, contact_id, new, clock.now())
        return answer(CONTACT.dump(contact))

    @endpoint(
        "DELETE",
        "/api/v1/contacts/<contact_id>",
        roles=LEADERS,
        scope=find_contact_to_change,
        answers={204: ""},
        transactional=True,
    )
    def delete_contact(self, context: RequestContext, conn: Connection, contact_id: UUID) -> Response:
        """Delete a contact."""
        contacts.delete(conn, context.account.tenant, contact_id)
        return answer(None, 204)

    @endpoint(
        "POST",
        "/api/v1/contacts/import",
        roles=LEADERS,
        body=CSV,
        read_body=read_import,
        body_limit=IMPORT_LIMIT,
        answers={200: IMPORTED},
        transactional=True,
    )
    def import_contacts(self, context: RequestContext, conn: Connection) -> Response:
        """Import contacts from CSV, all or none; an existing number gets the new name."""
        imported, with_notes = context.body
        result = contacts.import_contacts(conn, context.account.tenant, imported, with_notes, clock.now())
        return answer(IMPORTED.dump(result))

    @endpoint("GET", "/api/v1/contacts/export", roles=READERS, limit=RateLimit.EXPORTS, answers={200: CSV})
    def export_contacts(self, context: RequestContext) -> Response:
        """All contacts as CSV that a spreadsheet opens and the import accepts."""
        pages = contacts.iterate_contacts(self.db, context.caller.tenant)
        # The first page is read before the response begins, so that an error is still a problem response.
        first = next(pages)
        return Response(
            contact_csv.write_csv(chain([first], pages)), content_type=f"{CSV}; charset=utf-8", headers=ATTACHED
        )


def _contact(body: Json, region: str) -> Contact:
    return Contact(body["name"], normalise(body["number"], region), body["note"])
