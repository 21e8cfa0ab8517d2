"""Contacts: names for numbers, one by one and as a table."""

from contextlib import ExitStack
from uuid import UUID

from werkzeug.wrappers import Request, Response

from services.gateway.directory.repository import contacts
from services.gateway.directory.repository import schemas
from services.gateway.http import idempotency
from services.gateway.directory.repository import contact_csv
from services.gateway.directory.contacts import Contact
from services.gateway.domain import csv_reader
from services.gateway.domain.filters import sought
from services.gateway.endpoints.endpoint import PROBLEM, Door, Visit, door
from services.gateway.http.list_response import listed, place
from shared.contracts.addresses import normalise
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Connection
from shared.plumbing.cooperative import in_turns
from shared.http.entrypoint import Problem, answer, bytes_of

IMPORT_LIMIT = 16 * 1024 * 1024
CSV = "text/csv"
NEW, CONTACT, CONTACTS, IMPORTED = (
    schemas.NewContactSchema(),
    schemas.ContactSchema(),
    schemas.ContactsSchema(),
    schemas.ImportedSchema(),
)
ATTACHED = {"Content-Disposition": 'attachment; filename="contacts.csv"'}


class ContactDoors(Door):
    @door("GET", "/api/v1/contacts", query=schemas.SearchQuerySchema(), answers={200: CONTACTS})
    def list_contacts(self, visit: Visit) -> Response:
        """Contacts by name; `q` is part of a name or a number."""
        asked, who = visit.asked(), visit.caller
        wanted = None if asked["q"] is None else sought(asked["q"], who.region)
        with self.db.reading() as conn:
            found = contacts.contacts(conn, who.tenant, wanted, asked["limit"], place(asked))
        return listed(CONTACTS, "contacts", found)

    @door("GET", "/api/v1/contacts/<contact_id>", answers={200: CONTACT})
    def show_contact(self, visit: Visit, contact_id: UUID) -> Response:
        """One contact."""
        with self.db.reading() as conn:
            found = contacts.contact(conn, visit.caller.tenant, contact_id)
        visit.asked()
        return answer(CONTACT.dump(found))

    @door("POST", "/api/v1/contacts", body=NEW, answers={201: CONTACT, 409: PROBLEM}, writes_here=True)
    def add_contact(self, visit: Visit, conn: Connection) -> Response:
        """Name a number."""
        new = _contact(visit.sent(), visit.account.region)
        made = contacts.add(conn, visit.account.tenant, new, clock.now())
        return answer(CONTACT.dump(made), 201)

    @door("PUT", "/api/v1/contacts/<contact_id>", body=NEW, answers={200: CONTACT, 409: PROBLEM}, writes_here=True)
    def change_contact(self, visit: Visit, conn: Connection, contact_id: UUID) -> Response:
        """Put another name, number or note in place."""
        tenant = visit.account.tenant
        contacts.contact(conn, tenant, contact_id)
        new = _contact(visit.sent(), visit.account.region)
        changed = contacts.change(conn, tenant, contact_id, new, clock.now())
        return answer(CONTACT.dump(changed))

    @door("DELETE", "/api/v1/contacts/<contact_id>", answers={204: ""}, writes_here=True)
    def delete_contact(self, visit: Visit, conn: Connection, contact_id: UUID) -> Response:
        """Forget a contact."""
        contacts.delete(conn, visit.account.tenant, contact_id)
        visit.asked()
        return answer(None, 204)

    @door("POST", "/api/v1/contacts/import", body=CSV, body_limit=IMPORT_LIMIT, answers={200: IMPORTED})
    def import_contacts(self, visit: Visit) -> Response:
        """Take contacts from a table, all or none; a number that is known gets the name that stands there."""
        visit.asked()
        who = visit.account
        table = csv_reader.read(csv_reader.decoded(_table_of(visit.request)), contact_csv.COLUMNS, contact_csv.NEEDED, in_turns)
        # Read before a transaction is open: that takes seconds.
        brought = contact_csv.contacts_of(table.lines, who.region)

        def bring_in(conn: Connection) -> Response:
            taken = contacts.bring_in(conn, who.tenant, brought, "note" in table.columns, clock.now())
            return answer(IMPORTED.dump(taken))

        return idempotency.here(self.db, visit.repeat, bring_in)

    @door("GET", "/api/v1/contacts/export", answers={200: CSV})
    def export_contacts(self, visit: Visit) -> Response:
        """All contacts as a table that a spreadsheet opens and an import takes."""
        visit.asked()
        with ExitStack() as held:
            held.enter_context(self.credentials.exports.place(visit.caller.id))
            pages = contacts.everyone(self.db, visit.caller.tenant)
            # Asked for before the answer begins, so that it may still be a problem.
            first = next(pages)
            table = contact_csv.table_of(page for some in ([first], pages) for page in some)
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
