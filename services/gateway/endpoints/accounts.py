"""Accounts, their roles and lines, for administrators; and the caller's own password."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.auth import csrf_cookies, password_workers
from services.gateway.directory import accounts, schemas
from services.gateway.directory.accounts import Change, NewLine
from services.gateway.domain.permissions import ADMINISTRATORS, PEOPLE
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.list_response import listed, place
from services.gateway.http.pagination import Row
from services.gateway.http.schemas import LineSchema
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

STAFF, LINE = schemas.StaffSchema(), LineSchema()
STAFF_LIST, LINES = schemas.StaffListSchema(), schemas.LinesSchema()
SEARCH, PAGE = schemas.SearchQuerySchema(), schemas.ListQuerySchema()


def find_account(group: EndpointGroup, context: RequestContext, account_id: UUID) -> Row:
    with group.db.autocommit() as conn:
        return accounts.account(conn, context.account.tenant, account_id)


def find_account_to_change(group: EndpointGroup, context: RequestContext, conn: Connection, account_id: UUID) -> Row:
    return accounts.account(conn, context.account.tenant, account_id)


def lock_account(group: EndpointGroup, context: RequestContext, conn: Connection, account_id: UUID) -> Row:
    accounts.lock(conn, context.account.tenant)
    return accounts.account(conn, context.account.tenant, account_id)


def lock_line(group: EndpointGroup, context: RequestContext, conn: Connection, account_id: UUID, line_id: UUID) -> Row:
    accounts.lock(conn, context.account.tenant)
    return accounts.line(conn, context.account.tenant, account_id, line_id)


class AccountEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/accounts", roles=ADMINISTRATORS, query=SEARCH, answers={200: STAFF_LIST})
    def list_accounts(self, context: RequestContext) -> Response:
        """The people of the company, by name."""
        query = context.query
        with self.db.autocommit() as conn:
            page = accounts.accounts(conn, context.account.tenant, query["q"], query["limit"], place(query))
        return listed(STAFF_LIST, "accounts", page)

    @endpoint(
        "POST",
        "/api/v1/accounts",
        roles=ADMINISTRATORS,
        body=schemas.NewAccountSchema(),
        answers={201: STAFF, 409: PROBLEM},
        transactional=True,
    )
    def add_account(self, context: RequestContext, conn: Connection) -> Response:
        """Add an account."""
        body, administrator = context.body, context.account
        refuse_login_as_password(body["password"], body["login"], "password")
        lines = [
            NewLine(normalise(line["address"], administrator.region), line["held_from"]) for line in body.pop("lines")
        ]
        body["password_hash"] = password_workers.hash_of(body.pop("password"))
        account = accounts.add(conn, administrator.tenant, lines=lines, **body)
        return answer(STAFF.dump(account), 201)

    @endpoint("GET", "/api/v1/accounts/<account_id>", roles=ADMINISTRATORS, scope=find_account, answers={200: STAFF})
    def show_account(self, context: RequestContext, account_id: UUID) -> Response:
        """One account with its lines."""
        return answer(STAFF.dump(context.resource))

    @endpoint(
        "PATCH",
        "/api/v1/accounts/<account_id>",
        roles=ADMINISTRATORS,
        scope=find_account_to_change,
        body=schemas.AccountChangeSchema(),
        answers={200: STAFF, 409: PROBLEM},
        transactional=True,
    )
    def change_account(self, context: RequestContext, conn: Connection, account_id: UUID) -> Response:
        """Change the name, role or password, or disable the account; a new role or password ends its sessions."""
        tenant, body = context.account.tenant, context.body
        password = body.pop("password", None)
        if password is not None:
            refuse_login_as_password(password, context.resource["login"], "password")
            body["password_hash"] = password_workers.hash_of(password)
        accounts.lock(conn, tenant)
        account = accounts.change(conn, tenant, account_id, Change(**body), clock.now())
        return answer(STAFF.dump(account))

    @endpoint(
        "GET",
        "/api/v1/accounts/<account_id>/lines",
        roles=ADMINISTRATORS,
        scope=find_account,
        query=PAGE,
        answers={200: LINES},
    )
    def list_lines(self, context: RequestContext, account_id: UUID) -> Response:
        """The lines that an account holds or has held, by address."""
        query = context.query
        with self.db.autocommit() as conn:
            page = accounts.lines(conn, context.account.tenant, account_id, query["limit"], place(query))
        return listed(LINES, "lines", page)

    @endpoint(
        "POST",
        "/api/v1/accounts/<account_id>/lines",
        roles=ADMINISTRATORS,
        scope=lock_account,
        body=schemas.NewLineSchema(),
        answers={201: LINE, 409: PROBLEM},
        transactional=True,
    )
    def add_line(self, context: RequestContext, conn: Connection, account_id: UUID) -> Response:
        """Assign a line to an account, from an instant on or without a beginning."""
        administrator, body = context.account, context.body
        address = normalise(body["address"], administrator.region)
        line = accounts.hold(conn, administrator.tenant, account_id, address, body["held_from"])
        return answer(LINE.dump(line), 201)

    @endpoint(
        "PATCH",
        "/api/v1/accounts/<account_id>/lines/<line_id>",
        roles=ADMINISTRATORS,
        scope=lock_line,
        body=schemas.LineEndSchema(),
        answers={200: LINE, 409: PROBLEM},
        transactional=True,
    )
    def change_line(self, context: RequestContext, conn: Connection, account_id: UUID, line_id: UUID) -> Response:
        """Set until when the account holds the line; then another account may hold it, without the earlier calls."""
        line = accounts.hold_until(conn, context.account.tenant, context.resource, context.body["held_until"])
        return answer(LINE.dump(line))

    @endpoint(
        "PUT",
        "/api/v1/me/password",
        roles=PEOPLE,
        body=schemas.NewPasswordSchema(),
        answers={204: "", 409: PROBLEM},
    )
    def change_password(self, context: RequestContext) -> Response:
        """Change your own password. All your sessions end, this one too: sign in again."""
        body, account = context.body, context.account
        refuse_login_as_password(body["new"], account.login, "new")
        with self.db.autocommit() as conn:
            stored = accounts.password_hash(conn, account.id)
        # A wrong password is counted like a failed sign-in.
        if not self.credentials.login_throttle.is_right(context.request, account.login, body["current"], stored):
            raise Invalid("wrong_password", field="current")
        new = password_workers.hash_of(body["new"])
        with self.db.connection() as conn:
            accounts.replace_password(conn, account.id, stored, new)
        self.credentials.end_session(context.session)
        response = answer(None, 204)
        csrf_cookies.clear_cookies(context.request, response)
        return response


def refuse_login_as_password(password: str, login: str, field: str) -> None:
    if password.casefold() == login.casefold():
        raise Invalid("password_is_login", field=field)
