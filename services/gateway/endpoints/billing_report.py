"""The cost of the calls of a period: billing adds up days and prefixes, the journal adds up operators."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from services.gateway.domain.filters import beginning
from services.gateway.domain.permissions import ACCOUNTING
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.billing_schemas import By
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http import cursors
from services.gateway.journal import cost_by_operator
from shared.contracts.billing import rpc as billing
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json, instant
from shared.http.entrypoint import answer

REPORT_TIMEOUT = 10.0
"""Seconds that billing may take to add up a long period."""
GROUP_FIELDS = {By.DAY: "day", By.OPERATOR: "account_id", By.PREFIX: "prefix"}


class BillingReportEndpoints(EndpointGroup):
    @endpoint(
        "GET",
        "/api/v1/billing/report",
        roles=ACCOUNTING,
        query=billing_schemas.BillingReportQuerySchema(),
        answers={200: billing_schemas.BillingReportSchema()},
    )
    def show_billing_report(self, context: RequestContext) -> Response:
        """The cost of calls by day, operator or prefix."""
        query, caller = context.query, context.caller
        zone = ZoneInfo(caller.time_zone)
        placed_from, placed_to = (beginning(query[name], zone) for name in ("placed_from", "placed_to"))
        if placed_from >= placed_to:
            raise Invalid("not_after_start", field="to")
        page = page_of_sums(query)
        period = {"from": instant(placed_from), "to": instant(placed_to)}
        if query["by"] is By.OPERATOR:
            with self.db.long_transaction() as conn:
                report = cost_by_operator.cost_by_operator(conn, caller.tenant, placed_from, placed_to, **page)
        else:
            terms = {
                "placed_from": placed_from,
                "placed_to": placed_to,
                "by": query["by"],
                "zone": caller.time_zone,
            }
            report = self.billing.call(billing.report, REPORT_TIMEOUT, tenant=caller.tenant, **terms, **page)
        rows = paged_sums("rows", query, report["rows"], "amount", GROUP_FIELDS[query["by"]])
        return answer({"by": query["by"], **period, **report, **rows})


def page_of_sums(query: Json) -> Json:
    """The parameters of billing for the requested page and one row more. Raises Invalid for a malformed cursor."""
    parameters = {"limit": query["limit"] + 1, "after_amount": None, "after_about": "", "after_currency": ""}
    if query["cursor"] is not None:
        after = cursors.SUMS.decode(query["cursor"])
        parameters |= {f"after_{name}": str(value) for name, value in after._asdict().items()}
    return parameters


def paged_sums(name: str, query: Json, rows: list[Json], amount: str, group: str) -> Json:
    """The rows of a `page_of_sums` under `name`, with the cursor of the next page if there is one."""
    page, next_cursor = rows[: query["limit"]], None
    if len(rows) > len(page):
        last = page[-1]
        next_cursor = cursors.SUMS.encode(cursors.Sum(abs(Decimal(last[amount])), last[group] or "", last["currency"]))
    return {name: page, "next_cursor": next_cursor}
