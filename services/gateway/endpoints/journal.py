"""The journal: a page, the summary, one call and its timeline."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from operator import itemgetter
from typing import ClassVar
from uuid import UUID

from psycopg.errors import QueryCanceled
from werkzeug.wrappers import Response

from services.gateway.auth.lookup_cache import LookupCache
from services.gateway.directory import repository
from services.gateway.domain.filters import Filters
from services.gateway.domain.freshness import Heartbeat, freshness
from services.gateway.domain.keys import KeyKind
from services.gateway.domain.permissions import LEADERS, READERS, Roles
from services.gateway.domain.scope import scope_of
from services.gateway.domain.summary import summarise
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.scopes import find_call
from services.gateway.http import cursors
from services.gateway.http.upstream import call_upstreams
from services.gateway.journal import entries, heartbeats, page_query, schemas, summary_query
from services.gateway.journal.page_query import Page
from services.gateway.journal.request_filters import filters_from_query, for_account
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
HEARTBEATS_CACHE_TIME = 0.5
"""Seconds. Each owner sends one heartbeat a second."""
ACCOUNT_FILTER_ROLES: Mapping[str, Roles] = {"account": LEADERS | {KeyKind.EXPORT}}
"""Who may filter by the account that took part in a call."""


class JournalEndpoints(EndpointGroup):
    _heartbeats: ClassVar[LookupCache[str, dict[str, Heartbeat]]] = LookupCache(HEARTBEATS_CACHE_TIME)

    @endpoint(
        "GET",
        "/api/v1/journal",
        roles=READERS,
        query=QUERY,
        query_roles=ACCOUNT_FILTER_ROLES,
        answers={200: schemas.JournalSchema()},
    )
    def show_journal(self, context: RequestContext) -> Response:
        """Calls, newest first, including those in progress."""
        caller, query = context.caller, context.query
        cursor = None if query["cursor"] is None else cursors.CALLS.decode(query["cursor"])
        filters = filters_from_query(query, caller, clock.now())
        with explain_timeout(query), self._connection(filters) as conn:
            filters = for_account(conn, query, caller, filters)
            page = page_query.get_page(conn, scope_of(caller), filters, query["limit"], cursor)
            page_entries = entries.build_entries(conn, caller.tenant, page.rows)
            heartbeats_ = self._heartbeats.get("owners", lambda: heartbeats.latest(conn)) or {}
        return answer({"entries": page_entries, **_cursors(page), **freshness(EVENT_SOURCES, heartbeats_, clock.now())})

    @endpoint(
        "GET",
        "/api/v1/journal/summary",
        roles=READERS,
        query=schemas.FilterSchema(),
        query_roles=ACCOUNT_FILTER_ROLES,
        answers={200: schemas.SummarySchema()},
    )
    def show_summary(self, context: RequestContext) -> Response:
        """The number of calls of each kind."""
        caller, query = context.caller, context.query
        filters = filters_from_query(query, caller, clock.now())
        with explain_timeout(query), self.db.connection() as conn:
            counts = summary_query.count_calls(conn, scope_of(caller), for_account(conn, query, caller, filters))
        return answer(summarise(counts))

    @endpoint("GET", "/api/v1/calls/<call_id>", roles=READERS, scope=find_call, answers={200: schemas.EntrySchema()})
    def show_call(self, context: RequestContext, call_id: UUID) -> Response:
        """One call."""
        with self.db.autocommit() as conn:
            [entry] = entries.build_entries(conn, context.caller.tenant, [context.resource])
        return answer(entry)

    @endpoint(
        "GET",
        "/api/v1/calls/<call_id>/timeline",
        roles=READERS,
        scope=find_call,
        answers={200: schemas.TimelineSchema()},
    )
    def show_timeline(self, context: RequestContext, call_id: UUID) -> Response:
        """The events of a call from every owner in the order of their time.

        The header `Degraded` names the owners that do not answer, whose events are missing.
        """
        tenant = context.caller.tenant
        owners = {
            "calls": (self.calls, calls.timeline),
            "comments": (self.comments, comments.timeline),
            "billing": (self.billing, billing.timeline),
            "recordings": (self.recordings, recordings.timeline),
        }
        timelines = call_upstreams(owners, tenant=tenant, call_id=call_id)
        if timelines["calls"] is None:
            raise Unavailable("service_unavailable", params={"service": "calls"})
        # Sorting is stable: events of one instant keep the order of their owner.
        events = sorted(
            (event for timeline in timelines.values() if timeline for event in timeline["events"]), key=itemgetter("at")
        )
        with self.db.autocommit() as conn:
            names = repository.account_names(conn, tenant, {event["by"] for event in events if event["by"]})
        named = [{**event, "by": names.get(event["by"], event["by"])} for event in events]
        missing = [owner for owner, timeline in timelines.items() if timeline is None]
        return answer({"events": named}, headers={"Degraded": ", ".join(missing)} if missing else None)

    def _connection(self, filters: Filters) -> AbstractContextManager[Connection]:
        """A transaction for a query with filters, whose planner settings are local to it."""
        db: Postgres = self.db
        return db.autocommit() if filters == Filters() else db.connection()


def _cursors(page: Page) -> Json:
    return {
        "next_cursor": cursors.CALLS.encode(page.older) if page.older else None,
        "previous_cursor": cursors.CALLS.encode(page.newer) if page.newer else None,
    }


@contextmanager
def explain_timeout(query: Json) -> Iterator[None]:
    """Turn a cancelled query into a problem that tells the client how to narrow it."""
    try:
        yield
    except QueryCanceled as error:
        if query["q"] is not None:
            raise Invalid("query_too_broad", field="q") from error
        raise Problem("query_too_slow") from error
