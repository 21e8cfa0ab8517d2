"""What the calls of a period cost together: by day or by prefix, in each currency. What has no price is left out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts.billing.rpc import ReportGrouping
from shared.contracts.wire import Json
from shared.plumbing.database import Connection

# Rows and totals are of one instant.
AT_ONE_INSTANT = "set transaction isolation level repeatable read"
PRICED = """
      from calls
      join charges using (call_id)
      {lines}
     where calls.tenant = %(tenant)s and placed_at >= %(placed_from)s and placed_at < %(placed_to)s
       and charges.state = 'priced'
"""
LINES = """
     cross join lateral json_to_recordset(charges.charge -> 'price' -> 'lines')
                     as line (direction text, prefix text, amount numeric)
"""
PAGE = """
    select about, currency, calls, amount
      from ({sums}) as sums (about, currency, calls, amount)
     where %(after_amount)s::numeric is null or ({order}) > ({after})
     order by {order}
     limit %(limit)s
"""
DAYS = f"""
    select to_char(placed_at at time zone %(zone)s, 'YYYY-MM-DD'), currency, count(*), sum(charges.amount)
      {PRICED.format(lines="")}
     group by 1, 2
"""
PREFIXES = f"""
    select line.direction || ' ' || line.prefix, currency, count(distinct call_id), sum(line.amount)
      {PRICED.format(lines=LINES)}
     group by 1, 2
"""
AFTER = "%(after_about)s, %(after_currency)s"
BY_DAY = PAGE.format(sums=DAYS, order="about, currency", after=AFTER)
BY_PREFIX = PAGE.format(sums=PREFIXES, order="-amount, about, currency", after=f"-%(after_amount)s::numeric, {AFTER}")
TOTALS = f"""
    select currency, count(*), sum(charges.amount) {PRICED.format(lines="")} group by 1 order by 1
"""


QUERIES: Mapping[ReportGrouping, Any] = {ReportGrouping.DAY: BY_DAY, ReportGrouping.PREFIX: BY_PREFIX}


def show(
    conn: Connection,
    tenant: str,
    placed_from: datetime,
    placed_to: datetime,
    by: ReportGrouping,
    zone: str,
    **page: Any,
) -> Json:
    """`{"rows": [{"day": "2026-11-22", "currency": "UAH", "calls": 3, "amount": "3.60"}], "totals": […]}`.

    Of the calls placed in a half-open span; days are those of `zone`. A call is counted with each prefix that it has a
    line of, and those without lines, which cost nothing, with none. The dearest prefixes come first. `page` is
    `limit`, and the `amount`, `about` and `currency` of the row `after` which it begins.
    """
    conn.execute(AT_ONE_INSTANT)
    asked = {"tenant": tenant, "placed_from": placed_from, "placed_to": placed_to, "zone": zone, **page}
    return {
        "rows": [{by.value: about, **_sum(*row)} for about, *row in conn.execute(QUERIES[by], asked)],
        "totals": [_sum(*row) for row in conn.execute(TOTALS, asked)],
    }


def _sum(currency: str, calls: int, amount: Any) -> Json:
    return {"currency": currency, "calls": calls, "amount": f"{amount:f}"}
