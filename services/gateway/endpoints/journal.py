"""The journal: a page of it, one call, and what happened to that call."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.errors import QueryCanceled
from werkzeug.wrappers import Response

from services.gateway.http import cursors
from services.gateway.directory.repository import repository
from services.gateway.journal import entries
from services.gateway.journal import heartbeats
from services.gateway.journal import schemas
from services.gateway.journal import page_query
from services.gateway.journal import summary_query
from services.gateway.domain.filters import Filters, beginning, sought, span_of
from services.gateway.domain.freshness import Heartbeat, freshness
from services.gateway.domain.keys import ApiKey
from services.gateway.domain.permissions import Caller, may
from services.gateway.domain.scope import scope_of
from services.gateway.domain.summary import summarise
from services.gateway.endpoints.endpoint import Door, Visit, door
from services.gateway.http.upstream import ask_all
from services.gateway.auth.ttl_cache import Recent
from services.gateway.journal.page_query import Page
from services.gateway.journal.rows import Row
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid, Unavailable
from shared.contracts.topology import OWNERS
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres
from shared.http.entrypoint import Problem, answer

QUERY = schemas.JournalQuerySchema()
HEARD_FOR = 0.5
"""Seconds for which heartbeats, of which there is one a second, need not be looked up again."""


class JournalDoors(Door):
    _heard: ClassVar[Recent[str, dict[str, Heartbeat]]] = Recent(HEARD_FOR)

    @door("GET", "/api/v1/journal", query=QUERY, answers={200: schemas.JournalSchema()})
    def show_journal(self, visit: Visit) -> Response:
        """Calls, newest first, while the phones still ring."""
        caller, asked = visit.caller, asked_of(visit)
        cursor = None if asked["cursor"] is None else cursors.decode(asked["cursor"])
        filters = filters_of(asked, caller, clock.now())
        with patiently(asked), self._asking(filters) as conn:
            filters = of_account(conn, asked, caller, filters)
            page = page_query.page(conn, scope_of(caller), filters, asked["limit"], cursor)
            shown = self._entries(conn, caller, page.rows)
            heard = self._heard.get("owners", lambda: heartbeats.heard(conn)) or {}
        return answer({"entries": shown, **_cursors(page), **freshness(OWNERS, heard, clock.now())})

    @door(
        "GET",
        "/api/v1/journal/summary",
        query=schemas.FilterSchema(),
        answers={200: schemas.SummarySchema()},
    )
    def show_summary(self, visit: Visit) -> Response:
        """How many calls of each kind."""
        caller, asked = visit.caller, asked_of(visit)
        filters = filters_of(asked, caller, clock.now())
        with patiently(asked), self.db.connection() as conn:
            counts = summary_query.counts(conn, scope_of(caller), of_account(conn, asked, caller, filters))
        return answer(summarise(counts))

    @door("GET", "/api/v1/calls/<call_id>", answers={200: schemas.EntrySchema()})
    def show_call(self, visit: Visit, call_id: UUID) -> Response:
        """One call."""
        with self.db.reading() as conn:
            row = page_query.one(conn, scope_of(visit.caller), call_id)
            visit.asked()
            [entry] = self._entries(conn, visit.caller, [row])
        return answer(entry)

    @door("GET", "/api/v1/calls/<call_id>/timeline", answers={200: schemas.TimelineSchema()})
    def show_timeline(self, visit: Visit, call_id: UUID) -> Response:
        """Everything that was said about a call by every owner, in order of happening.

        The header `Degraded` names the owners that do not answer now, whose events are missing.
        """
        tenant = visit.caller.tenant
        with self.db.reading() as conn:
            page_query.one(conn, scope_of(visit.caller), call_id)
        visit.asked()
        owners = {
            "calls": self.calls,
            "comments": self.comments,
            "billing": self.billing,
            "recordings": self.recordings,
        }
        told = ask_all(owners, "timeline", tenant=tenant, call_id=str(call_id))
        if told["calls"] is None:
            raise Unavailable
        # Sorting keeps what happened in one instant as its owner has it.
        events = sorted((one for answer in told.values() if answer for one in answer["events"]), key=itemgetter("at"))
        with self.db.reading() as conn:
            names = repository.account_names(conn, tenant, {one["by"] for one in events if one["by"]})
        shown = [{**one, "by": names.get(one["by"], one["by"])} for one in events]
        silent = [owner for owner, answered in told.items() if answered is None]
        return answer({"events": shown}, headers={"Degraded": ", ".join(silent)} if silent else None)

    def _asking(self, filters: Filters) -> AbstractContextManager[Connection]:
        """A page without filters asks little; how others are planned is set for a transaction."""
        db: Postgres = self.db
        return db.reading() if filters == Filters() else db.connection()

    def _entries(self, conn: Connection, caller: Caller, rows: Sequence[Row]) -> list[Json]:
        return entries.shown(conn, caller.tenant, rows)


def shown_by(door: Door, visit: Visit) -> UUID:
    """The id of the session or key that lets the caller in: what is asked again while an answer lasts."""
    if isinstance(visit.caller, ApiKey):
        return visit.caller.id
    shown: UUID = door.credentials.session(door.db, visit.request).id
    return shown


def asked_of(visit: Visit) -> Json:
    """What is asked of the journal. Raises Problem 403 for the calls of an account, to who may not ask for them."""
    if "account" in visit.request.args and not may(visit.caller, "show_journal_of_account"):
        raise Problem(403, "forbidden", "Not allowed", "Your role may not ask for the calls of an account.")
    asked: Json = visit.asked()
    return asked


def of_account(conn: Connection, asked: Json, caller: Caller, filters: Filters) -> Filters:
    """The filters with the lines of the account that is asked for, if one is."""
    if not asked["account"]:
        return filters
    return replace(filters, lines=repository.account_lines(conn, caller.tenant, asked["account"]))


def filters_of(asked: Json, caller: Caller, now: datetime) -> Filters:
    """What was asked, in the days and the numbers of the caller's company. Raises Invalid for an impossible span."""
    placed_from, placed_to = _span(asked, now, ZoneInfo(caller.time_zone))
    return Filters(
        placed_from=placed_from,
        placed_to=placed_to,
        directions=frozenset(asked["direction"]),
        statuses=frozenset(asked["status"]),
        phases=frozenset(asked["phase"]),
        party=None if asked["party"] is None else normalise(asked["party"], caller.region),
        text=None if asked["q"] is None else sought(asked["q"], caller.region),
        has=frozenset(asked["has"]),
        min_talk=_seconds(asked["min_talk"]),
        max_talk=_seconds(asked["max_talk"]),
    )


def _span(asked: Json, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    if asked["period"]:
        return span_of(asked["period"], now, zone)
    placed_from = beginning(asked["placed_from"], zone) if asked["placed_from"] else None
    placed_to = beginning(asked["placed_to"], zone) if asked["placed_to"] else None
    if placed_from and placed_to and placed_from > placed_to:
        raise Invalid("The span ends before it begins.", {"to": ["Is before from."]})
    return placed_from, placed_to


def _seconds(number: Decimal | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=float(number))


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
