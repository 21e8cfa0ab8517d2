"""What billing reads of its own rows and streams."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.billing.domain.due import EndHeard
from services.billing.domain.rate_book import Validity
from shared.contracts.billing.events import Tariff
from shared.contracts.billing.schemas import TariffSchema
from shared.contracts.errors import NotFound, Rejected
from shared.contracts.wire import Json, instant
from shared.plumbing.database import Connection
from shared.plumbing.timeline import TimelineQuery

TARIFF = "select tenant, tariff from tariffs where tariff_id = %(tariff_id)s"
VIEW = """
    select tariff, drafted_at, (
               select min(next.valid_from)
                 from tariffs as next
                where next.tenant = tariffs.tenant and next.state = 'active'
                  and (next.valid_from, next.activated_at, next.tariff_id)
                      > (tariffs.valid_from, tariffs.activated_at, tariffs.tariff_id))
      from tariffs
     where tenant = %(tenant)s
"""
SHOW = f"{VIEW} and tariff_id = %(tariff_id)s"
LIST = f"""
    {VIEW} and state <> 'discarded'
       and (%(after_at)s::timestamptz is null or (drafted_at, tariff_id) < (%(after_at)s, %(after_id)s))
     order by drafted_at desc, tariff_id desc
     limit %(limit)s
"""
ACTIVE = """
    select tenant, valid_from, tariff
      from tariffs
     where tenant = any(%(tenants)s) and state = 'active'
     order by tenant, valid_from, activated_at, tariff_id
"""
TERMS = "select tenant, price_delay, currency from terms where tenant = any(%(tenants)s)"
UPLOADED = """
    select content from uploads where upload_id = %(upload_id)s and tenant = %(tenant)s order by number
"""
HEARD = """
    select tenant, call_id, version, facts, placed_at, ended_at, received_at, due_at, pending, correlation_id
      from calls
     where call_id = any(%(call_ids)s)
     order by call_id
       for update
"""
CLAIM = """
    select tenant, call_id, version, facts, placed_at, ended_at, received_at, due_at, pending, correlation_id
      from calls
     where pending and due_at <= %(now)s
     order by due_at, call_id
     limit %(most)s
       for update skip locked
"""
DUE = "select due_at from calls where tenant = %(tenant)s and call_id = %(call_id)s"
CHARGE = "select charge from charges where tenant = %(tenant)s and call_id = %(call_id)s"
TIMELINE = TimelineQuery(
    "billing", "charge", at="coalesce((data ->> 'at')::timestamptz, recorded_at)", by="data ->> 'by'"
)
FAILED = """
    select charge, changed_at, call_id
      from charges
     where tenant = %(tenant)s and state = 'failed'
       and (%(after_at)s::timestamptz is null or (changed_at, call_id) < (%(after_at)s, %(after_id)s))
     order by changed_at desc, call_id desc
     limit %(limit)s
"""
STATE = TariffSchema()
LISTED = ("tariff_id", "name", "currency", "rounding", "count", "version", "state", "valid_from")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a company's prices obey beside its tariffs."""

    price_delay: timedelta
    currency: str


@dataclass(frozen=True, slots=True)
class Tariffs:
    """A company's active tariffs in the order of time."""

    validities: Sequence[Validity]
    by_id: dict[UUID, Tariff]


def tariff(conn: Connection, tenant: str, tariff_id: UUID) -> Tariff | None:
    """The tariff as it is; None when there is none yet. Raises NotFound for one of another company."""
    row = conn.execute(TARIFF, {"tariff_id": tariff_id}).fetchone()
    if row is None:
        return None
    if row[0] != tenant:
        raise NotFound
    found: Tariff = STATE.load(row[1])
    return found


def show_tariff(conn: Connection, tenant: str, tariff_id: UUID) -> Json:
    """The tariff with the instants between which it rules. Raises NotFound."""
    row = conn.execute(SHOW, {"tenant": tenant, "tariff_id": tariff_id}).fetchone()
    if row is None:
        raise NotFound
    return _view(*row)


def digest(conn: Connection, tenant: str, tariff_id: UUID) -> str:
    """The name of the tariff's rates. Raises NotFound."""
    found = tariff(conn, tenant, tariff_id)
    if found is None:
        raise NotFound
    return found.rates


def list_tariffs(conn: Connection, **page: Any) -> list[Json]:
    """The newest drafted first."""
    return [_view(*row) for row in conn.execute(LIST, page)]


def _view(shown: Json, drafted_at: datetime, valid_to: datetime | None) -> Json:
    listed = {name: shown[name] for name in LISTED}
    return {**listed, "drafted_at": instant(drafted_at), "valid_to": instant(valid_to) if valid_to else None}


def active_tariffs(conn: Connection, tenants: Iterable[str]) -> dict[str, Tariffs]:
    """By company; one without a tariff has none of them."""
    found: dict[str, Tariffs] = defaultdict(lambda: Tariffs([], {}))
    for tenant, valid_from, shown in conn.execute(ACTIVE, {"tenants": list(tenants)}):
        one: Tariff = STATE.load(shown)
        known = found[tenant]
        found[tenant] = Tariffs(
            [*known.validities, Validity(valid_from, one.tariff_id)], {**known.by_id, one.tariff_id: one}
        )
    return found


def terms(conn: Connection, tenants: Iterable[str], default: Terms) -> dict[str, Terms]:
    """By company; those that have set none have the default."""
    found: dict[str, Terms] = defaultdict(lambda: default)
    for tenant, price_delay, currency in conn.execute(TERMS, {"tenants": list(tenants)}):
        found[tenant] = Terms(default.price_delay if price_delay is None else price_delay, currency)
    return found


def uploaded(conn: Connection, tenant: str, upload_id: UUID, slices: int) -> bytes:
    """What was uploaded, put together. Raises Rejected while slices are missing."""
    rows = conn.execute(UPLOADED, {"tenant": tenant, "upload_id": upload_id}).fetchall()
    if len(rows) != slices:
        raise Rejected("upload_is_incomplete")
    return b"".join(content for (content,) in rows)


def heard(conn: Connection, call_ids: Sequence[UUID]) -> list[EndHeard]:
    """The calls that are known, locked until the transaction ends."""
    return _heard(conn, HEARD, call_ids=list(call_ids))


def claim(conn: Connection, now: datetime, most: int) -> list[EndHeard]:
    """Calls whose price is due, those due longest first, locked; those that others have claimed are left to them."""
    return _heard(conn, CLAIM, now=now, most=most)


def _heard(conn: Connection, query: Any, **words: Any) -> list[EndHeard]:
    names = EndHeard.__dataclass_fields__
    return [EndHeard(**dict(zip(names, row, strict=True))) for row in conn.execute(query, words)]


def charge(conn: Connection, tenant: str, call_id: UUID) -> Json | None:
    row = conn.execute(CHARGE, {"tenant": tenant, "call_id": call_id}).fetchone()
    return row[0] if row else None


def due_at(conn: Connection, tenant: str, call_id: UUID) -> datetime | None:
    row = conn.execute(DUE, {"tenant": tenant, "call_id": call_id}).fetchone()
    return row[0] if row else None


def timeline(conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
    """Every event of the call's charge, oldest first; `by` is the account that caused it."""
    return TIMELINE.read(conn, tenant, call_id)


def failed(conn: Connection, **page: Any) -> list[Json]:
    """Charges that failed, the latest first."""
    return [{**shown, "changed_at": instant(at)} for shown, at, _ in conn.execute(FAILED, page)]
