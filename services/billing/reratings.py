"""Rating a period again, slice by slice: each is one transaction that also notes how far it came.

Of several periods the one of which least is done comes next, so that a short one need not wait for a long one.
Whoever dies leaves the slice undone and the rest as it was; another replica goes on from there. A dry run writes no
price, so it may be of a tariff that does not rule, a draft too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from services.billing import policies, projections, queries
from services.billing.domain import charge as domain
from services.billing.domain.charge import Rated
from services.billing.domain.comparison import Key, Sum, compare
from services.billing.domain.due import EndHeard
from services.billing.domain.rate_book import Validity
from services.billing.queries import Tariffs, Terms
from services.billing.rate_book_cache import RateBookCache
from shared.contracts.billing.events import Price, Tariff, TariffState, Why
from shared.contracts.billing.schemas import TariffSchema
from shared.contracts.errors import Invalid, NotFound, Rejected
from shared.contracts.wire import Json, instant
from shared.plumbing import clock, commands, decider, store
from shared.plumbing.database import Connection, as_rows
from shared.plumbing.decider import CommandEnvelope

BEGIN = """
    insert into reratings (rerating_id, tenant, placed_from, placed_to, tariff_id, tariff, dry_run, by, begun_at, total)
    select %(rerating_id)s, %(tenant)s, %(placed_from)s, %(placed_to)s, %(tariff_id)s, %(tariff)s::json,
           %(dry_run)s, %(by)s, %(begun_at)s, count(*)
      from calls
     where tenant = %(tenant)s and placed_at >= %(placed_from)s and placed_at < %(placed_to)s and not pending
"""
TAKE = """
    select rerating_id, tenant, placed_from, placed_to, tariff, dry_run, by, after_at, after_id
      from reratings
     where ended_at is null
     order by done, begun_at
     limit 1
       for update skip locked
"""
SLICE = """
    select call_id, placed_at
      from calls
     where tenant = %(tenant)s and placed_at >= %(placed_from)s and placed_at < %(placed_to)s and not pending
       and (%(after_at)s::timestamptz is null or (placed_at, call_id) > (%(after_at)s, %(after_id)s))
     order by placed_at, call_id
     limit %(most)s
"""
NOTE = """
    update reratings
       set done = done + %(done)s, changed = changed + %(changed)s, failed = failed + %(failed)s,
           after_at = %(after_at)s, after_id = %(after_id)s
     where rerating_id = %(rerating_id)s
"""
ADD_SUMS = """
    insert into rerating_sums as kept (rerating_id, prefix, currency, calls, before, after)
    select * from json_to_recordset(%(rows)s) as sums (
        rerating_id uuid, prefix text, currency text, calls int, before numeric, after numeric)
        on conflict (rerating_id, prefix, currency) do update
       set calls = kept.calls + excluded.calls, before = kept.before + excluded.before,
           after = kept.after + excluded.after
"""
END = "update reratings set ended_at = %(ended_at)s where rerating_id = %(rerating_id)s"
SHOW = """
    select placed_from, placed_to, tariff_id, dry_run, by, begun_at, ended_at, total, done, changed, failed
      from reratings
     where tenant = %(tenant)s and rerating_id = %(rerating_id)s
"""
SUMS = """
    select prefix, currency, calls, before, after, after - before
      from rerating_sums
     where rerating_id = %(rerating_id)s
       and (%(after_amount)s::numeric is null
            or (-abs(after - before), prefix, currency)
               > (-%(after_amount)s::numeric, %(after_about)s, %(after_currency)s))
     order by -abs(after - before), prefix, currency
     limit %(limit)s
"""
TOTALS = """
    select currency, sum(before), sum(after), sum(after - before)
      from rerating_sums
     where rerating_id = %(rerating_id)s
     group by currency
     order by currency
"""
TARIFF = TariffSchema()
SINCE_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rerating:
    rerating_id: UUID
    tenant: str
    placed_from: datetime
    placed_to: datetime
    tariff: Json | None
    dry_run: bool
    by: UUID | None
    after_at: datetime | None
    after_id: UUID | None


def begin(
    conn: Connection,
    command_id: UUID,
    tenant: str,
    placed_from: datetime,
    placed_to: datetime,
    tariff_id: UUID | None,
    dry_run: bool,
    by: UUID | None,
) -> Json:
    """Rate the calls placed from then until then once more: `{"id": …}`.

    Raises Invalid for a tariff that is not there, and for one in a run that writes, Rejected for one without rates.
    """
    if placed_from >= placed_to:
        raise Invalid("not_after_start", field="to")
    tried = None if tariff_id is None else _tried(conn, tenant, tariff_id, dry_run)
    words = {
        "rerating_id": command_id,
        "tenant": tenant,
        "placed_from": placed_from,
        "placed_to": placed_to,
        "tariff_id": tariff_id,
        "tariff": tried and orjson.dumps(TARIFF.dump(tried)).decode(),
        "dry_run": dry_run,
        "by": by,
        "begun_at": clock.now(),
    }

    def keep() -> Json:
        conn.execute(BEGIN, words)
        return {"id": str(command_id)}

    return commands.once(conn, command_id, keep)


def _tried(conn: Connection, tenant: str, tariff_id: UUID, dry_run: bool) -> Tariff:
    try:
        tariff = queries.tariff(conn, tenant, tariff_id)
    except NotFound:
        tariff = None  # Another company's is told from a missing one by nobody.
    if tariff is None or tariff.state is TariffState.DISCARDED:
        raise Invalid("unknown_tariff", field="tariff")
    if not dry_run:
        raise Invalid("dry_run_required", field="tariff")
    if not tariff.count:
        raise Rejected("tariff_has_no_rates")
    return tariff


def work(conn: Connection, books: RateBookCache, default: Terms, most: int) -> bool:
    """Rate the next slice of what is to be rated again; False when there is nothing left for this replica."""
    row = conn.execute(TAKE).fetchone()
    if row is None:
        return False
    rerating = Rerating(*row)
    bounds = {name: getattr(rerating, name) for name in ("tenant", "placed_from", "placed_to", "after_at", "after_id")}
    found = conn.execute(SLICE, {**bounds, "most": most}).fetchall()
    if not found:
        conn.execute(END, {"rerating_id": rerating.rerating_id, "ended_at": clock.now()})
        return True
    # A call that became due again meanwhile is left to its own timer.
    calls = [call for call in queries.heard(conn, [call_id for call_id, _ in found]) if not call.pending]
    _note(conn, rerating, _rate(conn, books, rerating, calls, default), len(found), found[-1])
    return True


def _rate(
    conn: Connection, books: RateBookCache, rerating: Rerating, calls: Sequence[EndHeard], default: Terms
) -> list[tuple[Rated, Rated]]:
    """What the charges were and what they are, or would be."""
    tariffs, currency = _tariffs(conn, rerating), queries.terms(conn, [rerating.tenant], default)[rerating.tenant]
    now = clock.now()
    orders = [_order(policies.order(conn, books, call, tariffs, currency, now), rerating) for call in calls]
    streams = [order.stream for order in orders]
    before = _replayed(store.read(conn, streams))
    if rerating.dry_run:
        after = {order.stream: _after(before[order.stream], order) for order in orders}
    else:
        changes = decider.execute(conn, domain, orders, policies.describe)
        projections.keep_charges(conn, changes, now)
        after = before | {change.stream: change.after for change in changes}
    return [(before[stream], after[stream]) for stream in streams]


def _tariffs(conn: Connection, rerating: Rerating) -> Tariffs:
    """Those that rule; or the one to be tried, as it was then, as if it had ruled all the time."""
    if rerating.tariff is None:
        return queries.active_tariffs(conn, [rerating.tenant])[rerating.tenant]
    tried: Tariff = TARIFF.load(rerating.tariff)
    return Tariffs([Validity(SINCE_EVER, tried.tariff_id)], {tried.tariff_id: tried})


def _order(order: CommandEnvelope, rerating: Rerating) -> CommandEnvelope:
    return replace(order, command=replace(order.command, why=Why.RERATED, by=rerating.by))


def _replayed(histories: Mapping[str, Any]) -> dict[str, Rated]:
    return {stream: decider.replay(domain, history) for stream, history in histories.items()}


def _after(rated: Rated, order: CommandEnvelope) -> Rated:
    for event in domain.decide(rated, order.command):
        rated = domain.evolve(rated, event)
    return rated


def _note(
    conn: Connection, rerating: Rerating, pairs: Sequence[tuple[Rated, Rated]], done: int, last: tuple[UUID, datetime]
) -> None:
    prices = [(_price(before), _price(after)) for before, after in pairs]
    words = {
        "rerating_id": rerating.rerating_id,
        "done": done,
        "changed": sum(_amount(before) != _amount(after) for before, after in prices),
        "failed": sum(after is None for _, after in prices),
        "after_id": last[0],
        "after_at": last[1],
    }
    conn.execute(NOTE, words)
    if sums := compare(prices):
        conn.execute(ADD_SUMS, {"rows": as_rows([_sum(rerating.rerating_id, *one) for one in sums.items()])})


def _price(rated: Rated) -> Price | None:
    return rated.charge.price if rated.charge else None


def _amount(price: Price | None) -> tuple[Decimal, str] | None:
    return (price.amount, price.currency) if price else None


def _sum(rerating_id: UUID, key: Key, one: Sum) -> Json:
    prefix, currency = key
    amounts = {"before": f"{one.before:f}", "after": f"{one.after:f}"}
    return {"rerating_id": rerating_id, "prefix": prefix, "currency": currency, "calls": one.calls, **amounts}


def show(conn: Connection, tenant: str, rerating_id: UUID) -> Json:
    """How far it is, and what it changes so far. Raises NotFound."""
    row = conn.execute(SHOW, {"tenant": tenant, "rerating_id": rerating_id}).fetchone()
    if row is None:
        raise NotFound
    placed_from, placed_to, tariff_id, dry_run, by, begun_at, ended_at, total, done, changed, failed = row
    totals = conn.execute(TOTALS, {"rerating_id": rerating_id})
    return {
        "id": str(rerating_id),
        "state": "done" if ended_at else "running",
        "from": instant(placed_from),
        "to": instant(placed_to),
        "tariff": str(tariff_id) if tariff_id else None,
        "dry_run": dry_run,
        "by": str(by) if by else None,
        "begun_at": instant(begun_at),
        "ended_at": instant(ended_at) if ended_at else None,
        "calls": {"total": max(total, done), "done": done, "changed": changed, "failed": failed},
        "totals": [_shown(("currency",), one) for one in totals],
    }


def by_prefix(conn: Connection, tenant: str, rerating_id: UUID, **page: Any) -> list[Json]:
    """What it changes so far, the prefixes that differ most first: `limit` of them after that which `page` names.

    Raises NotFound.
    """
    if conn.execute(SHOW, {"tenant": tenant, "rerating_id": rerating_id}).fetchone() is None:
        raise NotFound
    sums = conn.execute(SUMS, {"rerating_id": rerating_id, **page})
    return [_shown(("prefix", "currency", "calls"), one) for one in sums]


def _shown(names: Sequence[str], row: Sequence[Any]) -> Json:
    *about, before, after, difference = row
    amounts = {"before": f"{before:f}", "after": f"{after:f}", "difference": f"{difference:f}"}
    return {**dict(zip(names, about, strict=True)), **amounts}
