"""What a company's calls cost by operator, from the prices in the journal."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from shared.contracts.wire import Json

# Rows and totals are read from one snapshot.
REPEATABLE_READ = "set transaction isolation level repeatable read"
PRICED_CALLS = """
      from journal as it
      join journal_prices as price using (tenant, call_id)
      {join}
     where it.tenant = %(tenant)s and it.placed_at >= %(placed_from)s and it.placed_at < %(placed_to)s
       and price.state = 'priced'
"""
JOIN_OPERATOR = """
      left join lines as held
        on held.tenant = it.tenant
       and held.address = case when it.direction = 'inbound' then it.answered_by[1] else it.caller end
       and it.placed_at >= coalesce(held.held_from, '-infinity')
       and it.placed_at < coalesce(held.held_until, 'infinity')
      left join accounts on accounts.id = held.account_id
"""
COST_BY_OPERATOR = f"""
    select nullif(about, ''), name, currency, calls, amount
      from (select coalesce(accounts.id::text, ''), accounts.name, price.currency, count(*), sum(price.amount)
              {PRICED_CALLS.format(join=JOIN_OPERATOR)}
             group by 1, 2, 3) as sums (about, name, currency, calls, amount)
     where %(after_amount)s::numeric is null
        or (-amount, about, currency) > (-%(after_amount)s::numeric, %(after_about)s, %(after_currency)s)
     order by -amount, about, currency
     limit %(limit)s
"""
COST_TOTALS = f"""
    select price.currency, count(*), sum(price.amount) {PRICED_CALLS.format(join="")} group by 1 order by 1
"""


def cost_by_operator(
    conn: Connection[Any], tenant: str, placed_from: datetime, placed_to: datetime, **page: Any
) -> Json:
    """`{"rows": […], "totals": […]}` of the priced calls that were placed in a half-open period.

    A call belongs to the account that held the line of its caller, for an inbound call of who answered it. Calls
    without such an account are one row. The highest amount comes first; `page`: as for `billing.report`.
    """
    conn.execute(REPEATABLE_READ)
    parameters = {"tenant": tenant, "placed_from": placed_from, "placed_to": placed_to, **page}
    return {
        "rows": [
            {"account_id": account_id, "name": name, **_sum(*row)}
            for account_id, name, *row in conn.execute(COST_BY_OPERATOR, parameters)
        ],
        "totals": [_sum(*row) for row in conn.execute(COST_TOTALS, parameters)],
    }


def _sum(currency: str, calls: int, amount: Any) -> Json:
    return {"currency": currency, "calls": calls, "amount": f"{amount:f}"}
