"""The journal: a page of it, one call, and what happened to that call."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from operator import itemgetter
from typing import ClassVar
from uuid import UUID

from psycopg.errors import QueryCanceled
from werkzeug.wrappers import Response

from services.gateway.auth.ttl_cache import TTLCache
from services.gateway.directory import repository
from services.gateway.domain.filters import Filters
from services.gateway.domain.freshness import Heartbeat, freshness
from services.gateway.domain.keys import ApiKey
from services.gateway.domain.permissions import Caller, may
from services.gateway.domain.scope import scope_of
from services.gateway.domain.summary import summarise
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http import cursors
from services.gateway.http.upstream import call_upstreams
from services.gateway.journal import entries, heartbeats, page_query, schemas, summary_query
from services.gateway.journal.page_query import Page
from services.gateway.journal.request_filters import filters_from_query, for_account
from services.gateway.journal.rows import Row
from shared.contracts.billing import rpc as billing
from shared.contracts.calls import rpc as calls
from shared.contracts.comments import rpc as comments
from shared.contracts.errors import Invalid, Unavailable
from shared.contracts.recordings import rpc as recordings
from shared.contracts.topology import EVENT_SOURCES
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres

QUERY = schemas.JournalQuerySchema()
HEARD_FOR = 0.5
"""Seconds for which heartbeats, of which there is one a second, need not be looked up again."""


class JournalEndpoints(EndpointGroup):
    _heard: ClassVar[TTLCache[str, dict[str, Heartbeat]]] = TTLCache(HEARD_FOR)

    @endpoint("GET", "/api/v1/journal", query=QUERY, answers={200: schemas.JournalSchema()})
    def show_journal(self, context: RequestContext) -> Response:
        """Calls, newest first, while the phones still ring."""
        caller, asked = context.caller, filter_parameters(context)
        cursor = None if asked["cursor"] is None else cursors.decode(asked["cursor"])
        filters = filters_from_query(asked, caller, clock.now())
        with patiently(asked), self._asking(filters) as conn:
            filters = for_account(conn, asked, caller, filters)
            page = page_query.get_page(conn, scope_of(caller), filters, asked["limit"], cursor)
            shown = self._entries(conn, caller, page.rows)
            heard = self._heard.get("owners", lambda: heartbeats.latest(conn)) or {}
        return answer({"entries": shown, **_cursors(page), **freshness(EVENT_SOURCES, heard, clock.now())})

    @endpoint(
        "GET",
        "/api/v1/journal/summary",
        query=schemas.FilterSchema(),
        answers={200: schemas.SummarySchema()},
    )
    def show_summary(self, context: RequestContext) -> Response:
        """How many calls of each kind."""
        caller, asked = context.caller, filter_parameters(context)
        filters = filters_from_query(asked, caller, clock.now())
        with patiently(asked), self.db.connection() as conn:
            counts = summary_query.count_calls(conn, scope_of(caller), for_account(conn, asked, caller, filters))
        return answer(summarise(counts))

    @endpoint("GET", "/api/v1/calls/<call_id>", answers={200: schemas.EntrySchema()})
    def show_call(self, context: RequestContext, call_id: UUID) -> Response:
        """One call."""
        with self.db.autocommit() as conn:
            row = page_query.get_call(conn, scope_of(context.caller), call_id)
            context.query()
            [entry] = self._entries(conn, context.caller, [row])
        return answer(entry)

    @endpoint("GET", "/api/v1/calls/<call_id>/timeline", answers={200: schemas.TimelineSchema()})
    def show_timeline(self, context: RequestContext, call_id: UUID) -> Response:
        """Everything that was said about a call by every owner, in order of happening.

        The header `Degraded` names the owners that do not answer now, whose events are missing.
        """
        tenant = context.caller.tenant
        with self.db.autocommit() as conn:
            page_query.get_call(conn, scope_of(context.caller), call_id)
        context.query()
        owners = {
            "calls": (self.calls, calls.timeline),
            "comments": (self.comments, comments.timeline),
            "billing": (self.billing, billing.timeline),
            "recordings": (self.recordings, recordings.timeline),
        }
        told = call_upstreams(owners, tenant=tenant, call_id=call_id)
        if told["calls"] is None:
            raise Unavailable
        # Sorting keeps what happened in one instant as its owner has it.
        events = sorted((one for answer in told.values() if answer for one in answer["events"]), key=itemgetter("at"))
        with self.db.autocommit() as conn:
            names = repository.account_names(conn, tenant, {one["by"] for one in events if one["by"]})
        shown = [{**one, "by": names.get(one["by"], one["by"])} for one in events]
        silent = [owner for owner, answered in told.items() if answered is None]
        return answer({"events": shown}, headers={"Degraded": ", ".join(silent)} if silent else None)

    def _asking(self, filters: Filters) -> AbstractContextManager[Connection]:
        """A page without filters asks little; how others are planned is set for a transaction."""
        db: Postgres = self.db
        return db.autocommit() if filters == Filters() else db.connection()

    def _entries(self, conn: Connection, caller: Caller, rows: Sequence[Row]) -> list[Json]:
        return entries.build_entries(conn, caller.tenant, rows)


def shown_by(door: EndpointGroup, context: RequestContext) -> UUID:
    """The id of the session or key that lets the caller in: what is asked again while an answer lasts."""
    if isinstance(context.caller, ApiKey):
        return context.caller.id
    shown: UUID = door.credentials.session(door.db, context.request).id
    return shown


def filter_parameters(context: RequestContext) -> Json:
    """What is asked of the journal. Raises Problem 403 for the calls of an account, to who may not ask for them."""
    if "account" in context.request.args and not may(context.caller, "show_journal_of_account"):
        raise Problem(403, "forbidden", "Not allowed", "Your role may not ask for the calls of an account.")
    asked: Json = context.query()
    return asked


def _cursors(page: Page) -> Json:
    return {
        "next_cursor": cursors.encode(page.older) if page.older else None,
        "previous_cursor": cursors.encode(page.newer) if page.newer else None,
    }


@contextmanager
def patiently(asked: Json) -> Iterator[None]:
    """A question that takes too long is answered with what to do about it."""
    try:
        yield
    except QueryCanceled as error:
        if asked["q"] is not None:
            detail = "Give more of the name or the number, or a shorter period."
            raise Invalid(detail, {"q": ["Found in too many places to look through."]}) from error
        raise Problem(
            503, "too-slow", "Took too long", "Ask for a shorter period.", headers={"Retry-After": "1"}
        ) from error
