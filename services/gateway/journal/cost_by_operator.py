"""What the calls of a company's people cost together, from the prices in the journal."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from shared.contracts.wire import Json

# Rows and totals are of one instant.
AT_ONE_INSTANT = "set transaction isolation level repeatable read"
PRICED = """
      from journal as it
      join journal_prices as price using (tenant, call_id)
      {whose}
     where it.tenant = %(tenant)s and it.placed_at >= %(placed_from)s and it.placed_at < %(placed_to)s
       and price.state = 'priced'
"""
HOLDER = """
      left join lines as held
        on held.tenant = it.tenant
       and held.address = case when it.direction = 'inbound' then it.answered_by[1] else it.caller end
       and it.placed_at >= coalesce(held.held_from, '-infinity')
       and it.placed_at < coalesce(held.held_until, 'infinity')
      left join accounts on accounts.id = held.account_id
"""
BY_OPERATOR = f"""
    select nullif(about, ''), name, currency, calls, amount
      from (select coalesce(accounts.id::text, ''), accounts.name, price.currency, count(*), sum(price.amount)
              {PRICED.format(whose=HOLDER)}
             group by 1, 2, 3) as sums (about, name, currency, calls, amount)
     where %(after_amount)s::numeric is null
        or (-amount, about, currency) > (-%(after_amount)s::numeric, %(after_about)s, %(after_currency)s)
     order by -amount, about, currency
     limit %(limit)s
"""
TOTALS = f"""
    select price.currency, count(*), sum(price.amount) {PRICED.format(whose="")} group by 1 order by 1
"""


def by_operator(conn: Connection[Any], tenant: str, placed_from: datetime, placed_to: datetime, **page: Any) -> Json:
    """`{"rows": […], "totals": […]}` of the calls placed in a half-open span that have a price.

    A call is its caller's, an inbound one who answered it: whoever held that line then. Nobody's calls are a row too.
    The dearest people come first; `page` is as billing is asked for it.
    """
    conn.execute(AT_ONE_INSTANT)
    asked = {"tenant": tenant, "placed_from": placed_from, "placed_to": placed_to, **page}
    return {
        "rows": [
            {"account_id": account_id, "name": name, **_sum(*row)}
            for account_id, name, *row in conn.execute(BY_OPERATOR, asked)
        ],
        "totals": [_sum(*row) for row in conn.execute(TOTALS, asked)],
    }


def _sum(currency: str, calls: int, amount: Any) -> Json:
    return {"currency": currency, "calls": calls, "amount": f"{amount:f}"}
