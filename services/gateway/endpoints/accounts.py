"""People, their roles and lines, as administrators keep them; and everybody's own password."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.auth import csrf_cookies, password_workers
from services.gateway.directory import accounts, schemas
from services.gateway.directory.accounts import Change, NewLine
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.list_response import listed, place
from services.gateway.http.schemas import LineSchema
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

STAFF, LINE = schemas.StaffSchema(), LineSchema()
STAFF_LIST, LINES = schemas.StaffListSchema(), schemas.LinesSchema()
SEARCH, PAGE = schemas.SearchQuerySchema(), schemas.ListQuerySchema()


class AccountEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/accounts", query=SEARCH, answers={200: STAFF_LIST})
    def list_accounts(self, context: RequestContext) -> Response:
        """The people of the company, by name."""
        asked = context.query()
        with self.db.autocommit() as conn:
            found = accounts.accounts(conn, context.account.tenant, asked["q"], asked["limit"], place(asked))
        return listed(STAFF_LIST, "accounts", found)

    @endpoint(
        "POST",
        "/api/v1/accounts",
        body=schemas.NewAccountSchema(),
        answers={201: STAFF, 409: PROBLEM},
        transactional=True,
    )
    def add_account(self, context: RequestContext, conn: Connection) -> Response:
        """Let somebody in."""
        sent, who = context.body(), context.account
        refuse_own_name(sent["password"], sent["login"], "password")
        lines = [NewLine(normalise(line["address"], who.region), line["held_from"]) for line in sent.pop("lines")]
        sent["password_hash"] = password_workers.hash_of(sent.pop("password"))
        made = accounts.add(conn, who.tenant, lines=lines, **sent)
        return answer(STAFF.dump(made), 201)

    @endpoint("GET", "/api/v1/accounts/<account_id>", answers={200: STAFF})
    def show_account(self, context: RequestContext, account_id: UUID) -> Response:
        """One account with its lines."""
        with self.db.autocommit() as conn:
            found = accounts.account(conn, context.account.tenant, account_id)
        context.query()
        return answer(STAFF.dump(found))

    @endpoint(
        "PATCH",
        "/api/v1/accounts/<account_id>",
        body=schemas.AccountChangeSchema(),
        answers={200: STAFF, 409: PROBLEM},
        transactional=True,
    )
    def change_account(self, context: RequestContext, conn: Connection, account_id: UUID) -> Response:
        """Change name, role or password, or keep somebody out; a new role or password ends what was issued."""
        tenant = context.account.tenant
        found = accounts.account(conn, tenant, account_id)
        sent = context.body()
        password = sent.pop("password", None)
        if password is not None:
            refuse_own_name(password, found["login"], "password")
            sent["password_hash"] = password_workers.hash_of(password)
        accounts.lock(conn, tenant)
        changed = accounts.change(conn, tenant, account_id, Change(**sent), clock.now())
        return answer(STAFF.dump(changed))

    @endpoint("GET", "/api/v1/accounts/<account_id>/lines", query=PAGE, answers={200: LINES})
    def list_lines(self, context: RequestContext, account_id: UUID) -> Response:
        """The lines that an account holds or has held, by address."""
        tenant = context.account.tenant
        with self.db.autocommit() as conn:
            accounts.account(conn, tenant, account_id)
            asked = context.query()
            found = accounts.lines(conn, tenant, account_id, asked["limit"], place(asked))
        return listed(LINES, "lines", found)

    @endpoint(
        "POST",
        "/api/v1/accounts/<account_id>/lines",
        body=schemas.NewLineSchema(),
        answers={201: LINE, 409: PROBLEM},
        transactional=True,
    )
    def add_line(self, context: RequestContext, conn: Connection, account_id: UUID) -> Response:
        """Give an account a line, from an instant on or since ever."""
        who = context.account
        accounts.lock(conn, who.tenant)
        accounts.account(conn, who.tenant, account_id)
        sent = context.body()
        address = normalise(sent["address"], who.region)
        return answer(LINE.dump(accounts.hold(conn, who.tenant, account_id, address, sent["held_from"])), 201)

    @endpoint(
        "PATCH",
        "/api/v1/accounts/<account_id>/lines/<line_id>",
        body=schemas.LineEndSchema(),
        answers={200: LINE, 409: PROBLEM},
        transactional=True,
    )
    def change_line(self, context: RequestContext, conn: Connection, account_id: UUID, line_id: UUID) -> Response:
        """Say until when a line is held: from then on another may have it, without its past."""
        tenant = context.account.tenant
        accounts.lock(conn, tenant)
        held = accounts.line(conn, tenant, account_id, line_id)
        return answer(LINE.dump(accounts.hold_until(conn, tenant, held, context.body()["held_until"])))

    @endpoint("PUT", "/api/v1/me/password", body=schemas.NewPasswordSchema(), answers={204: "", 409: PROBLEM})
    def change_password(self, context: RequestContext) -> Response:
        """Change one's own password; every session ends, this one too: sign in again."""
        sent, who = context.body(), context.account
        refuse_own_name(sent["new"], who.login, "new")
        session = self.credentials.session(self.db, context.request)
        with self.db.autocommit() as conn:
            stored = accounts.password_hash(conn, who.id)
        # As good as a failed sign-in, and counted as one.
        if not self.credentials.guesses.is_right(context.request, who.login, sent["current"], stored):
            raise Invalid("The current password is wrong.", {"current": ["Is wrong."]})
        new = password_workers.hash_of(sent["new"])
        with self.db.connection() as conn:
            accounts.replace_password(conn, who.id, stored, new)
        self.credentials.forget(session)
        response = answer(None, 204)
        csrf_cookies.take_back(context.request, response)
        return response


def refuse_own_name(password: str, login: str, field: str) -> None:
    if password.casefold() == login.casefold():
        errors: Json = {field: ["Is the login."]}
        raise Invalid("Everybody would try this password first.", errors)
