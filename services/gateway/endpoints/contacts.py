"""Contacts: names for numbers, one by one and as a table."""

from contextlib import ExitStack
from uuid import UUID

from werkzeug.wrappers import Request, Response

from services.gateway.directory import contact_csv, contacts, schemas
from services.gateway.directory.contacts import Contact
from services.gateway.domain import csv_reader
from services.gateway.domain.filters import parse_search_text
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http import idempotency
from services.gateway.http.list_response import listed, place
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


class ContactEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/contacts", query=schemas.SearchQuerySchema(), answers={200: CONTACTS})
    def list_contacts(self, context: RequestContext) -> Response:
        """Contacts by name; `q` is part of a name or a number."""
        asked, who = context.query(), context.caller
        wanted = None if asked["q"] is None else parse_search_text(asked["q"], who.region)
        with self.db.autocommit() as conn:
            found = contacts.contacts(conn, who.tenant, wanted, asked["limit"], place(asked))
        return listed(CONTACTS, "contacts", found)

    @endpoint("GET", "/api/v1/contacts/<contact_id>", answers={200: CONTACT})
    def show_contact(self, context: RequestContext, contact_id: UUID) -> Response:
        """One contact."""
        with self.db.autocommit() as conn:
            found = contacts.contact(conn, context.caller.tenant, contact_id)
        context.query()
        return answer(CONTACT.dump(found))

    @endpoint("POST", "/api/v1/contacts", body=NEW, answers={201: CONTACT, 409: PROBLEM}, transactional=True)
    def add_contact(self, context: RequestContext, conn: Connection) -> Response:
        """Name a number."""
        new = _contact(context.body(), context.account.region)
        made = contacts.add(conn, context.account.tenant, new, clock.now())
        return answer(CONTACT.dump(made), 201)

    @endpoint(
        "PUT", "/api/v1/contacts/<contact_id>", body=NEW, answers={200: CONTACT, 409: PROBLEM}, transactional=True
    )
    def change_contact(self, context: RequestContext, conn: Connection, contact_id: UUID) -> Response:
        """Put another name, number or note in place."""
        tenant = context.account.tenant
        contacts.contact(conn, tenant, contact_id)
        new = _contact(context.body(), context.account.region)
        changed = contacts.change(conn, tenant, contact_id, new, clock.now())
        return answer(CONTACT.dump(changed))

    @endpoint("DELETE", "/api/v1/contacts/<contact_id>", answers={204: ""}, transactional=True)
    def delete_contact(self, context: RequestContext, conn: Connection, contact_id: UUID) -> Response:
        """Forget a contact."""
        contacts.delete(conn, context.account.tenant, contact_id)
        context.query()
        return answer(None, 204)

    @endpoint("POST", "/api/v1/contacts/import", body=CSV, body_limit=IMPORT_LIMIT, answers={200: IMPORTED})
    def import_contacts(self, context: RequestContext) -> Response:
        """Take contacts from a table, all or none; a number that is known gets the name that stands there."""
        context.query()
        who = context.account
        table = csv_reader.read(
            csv_reader.decode(_table_of(context.request)),
            contact_csv.COLUMNS,
            contact_csv.REQUIRED_COLUMNS,
            cooperatively,
        )
        # Read before a transaction is open: that takes seconds.
        brought = contact_csv.parse_contacts(table.lines, who.region)

        def bring_in(conn: Connection) -> Response:
            taken = contacts.import_contacts(conn, who.tenant, brought, "note" in table.columns, clock.now())
            return answer(IMPORTED.dump(taken))

        return idempotency.here(self.db, context.repeat, bring_in)

    @endpoint("GET", "/api/v1/contacts/export", answers={200: CSV})
    def export_contacts(self, context: RequestContext) -> Response:
        """All contacts as a table that a spreadsheet opens and an import takes."""
        context.query()
        with ExitStack() as held:
            held.enter_context(self.credentials.exports.place(context.caller.id))
            pages = contacts.iterate_contacts(self.db, context.caller.tenant)
            # Asked for before the answer begins, so that it may still be a problem.
            first = next(pages)
            table = contact_csv.write_csv(page for some in ([first], pages) for page in some)
            response = Response(table, content_type=f"{CSV}; charset=utf-8", headers=ATTACHED)
            response.call_on_close(held.pop_all().close)
        return response


def _contact(sent: Json, region: str) -> Contact:
    return Contact(sent["name"], normalise(sent["number"], region), sent["note"])


def _table_of(request: Request) -> bytes:
    """A table as it was sent. Raises Problem 415 and 408."""
    if request.mimetype != CSV:
        raise Problem(415, "wrong-content", "Wrong content", f"Send a table with Content-Type: {CSV}.")
    return bytes_of(request)
