"""Turn the query parameters of the journal into `Filters`."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.gateway.directory import repository
from services.gateway.domain.filters import Filters, beginning, sought, span_of
from services.gateway.domain.permissions import Caller
from shared.contracts.addresses import normalise
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json
from shared.plumbing.database import Connection


def for_account(conn: Connection, asked: Json, caller: Caller, filters: Filters) -> Filters:
    """The filters with the lines of the account that is asked for, if one is."""
    if not asked["account"]:
        return filters
    return replace(filters, lines=repository.account_lines(conn, caller.tenant, asked["account"]))


def filters_from_query(asked: Json, caller: Caller, now: datetime) -> Filters:
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
