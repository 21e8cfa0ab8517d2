"""Turn the query parameters of the journal into `Filters`."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.gateway.directory import repository
from services.gateway.domain.filters import Filters, beginning, parse_search_text, span_of
from services.gateway.domain.permissions import Caller
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json
from shared.plumbing.database import Connection


def for_account(conn: Connection, query: Json, caller: Caller, filters: Filters) -> Filters:
    """The filters, limited to the lines of the requested account, if there is one."""
    if not query["account"]:
        return filters
    return replace(filters, lines=repository.account_lines(conn, caller.tenant, query["account"]))


def filters_from_query(query: Json, caller: Caller, now: datetime) -> Filters:
    """The filters, with days and numbers as in the caller's company. Raises Invalid for an empty span."""
    placed_from, placed_to = _span(query, now, ZoneInfo(caller.time_zone))
    return Filters(
        placed_from=placed_from,
        placed_to=placed_to,
        directions=frozenset(query["direction"]),
        statuses=frozenset(query["status"]),
        phases=frozenset(query["phase"]),
        party=None if query["party"] is None else normalise(query["party"], caller.region),
        text=None if query["q"] is None else parse_search_text(query["q"], caller.region),
        has=frozenset(query["has"]),
        min_talk=_seconds(query["min_talk"]),
        max_talk=_seconds(query["max_talk"]),
    )


def _span(query: Json, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    if query["period"]:
        return span_of(query["period"], now, zone)
    placed_from = beginning(query["placed_from"], zone) if query["placed_from"] else None
    placed_to = beginning(query["placed_to"], zone) if query["placed_to"] else None
    if placed_from and placed_to and placed_from > placed_to:
        raise Invalid("end_before_start", field="to")
    return placed_from, placed_to


def _seconds(number: Decimal | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=float(number))
