"""What the calls of a period cost together: of days and prefixes billing tells, of people the journal."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from services.gateway.domain.filters import beginning
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.billing_schemas import By
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http import cursors
from services.gateway.journal import cost_by_operator
from shared.contracts.billing import rpc as billing
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json, instant
from shared.http.entrypoint import answer

LONG_COUNT = 10.0
"""Seconds that billing may take to add up a long period."""
ABOUT = {By.DAY: "day", By.OPERATOR: "account_id", By.PREFIX: "prefix"}


class BillingReportEndpoints(EndpointGroup):
    @endpoint(
        "GET",
        "/api/v1/billing/report",
        query=billing_schemas.BillingReportQuerySchema(),
        answers={200: billing_schemas.BillingReportSchema()},
    )
    def show_billing_report(self, context: RequestContext) -> Response:
        """What calls cost together, by day, operator or prefix."""
        asked, caller = context.query(), context.caller
        zone = ZoneInfo(caller.time_zone)
        placed_from, placed_to = (beginning(asked[name], zone) for name in ("placed_from", "placed_to"))
        if placed_from >= placed_to:
            raise Invalid("The period ends before it begins.", {"to": ["Is not after from."]})
        page = page_of_sums(asked)
        span = {"from": instant(placed_from), "to": instant(placed_to)}
        if asked["by"] is By.OPERATOR:
            with self.db.long_transaction() as conn:
                found = cost_by_operator.cost_by_operator(conn, caller.tenant, placed_from, placed_to, **page)
        else:
            words = {"placed_from": placed_from, "placed_to": placed_to, "by": asked["by"], "zone": caller.time_zone}
            found = self.billing.call(billing.report, LONG_COUNT, tenant=caller.tenant, **words, **page)
        rows = paged_sums("rows", asked, found["rows"], "amount", ABOUT[asked["by"]])
        return answer({"by": asked["by"], **span, **found, **rows})


def page_of_sums(asked: Json) -> Json:
    """The page that is asked for and one more, in billing's words. Raises Invalid for a cursor that is not ours."""
    words = {"limit": asked["limit"] + 1, "after_amount": None, "after_about": "", "after_currency": ""}
    if asked["cursor"] is not None:
        after = cursors.decode_sum(asked["cursor"])
        words |= {f"after_{name}": str(value) for name, value in after._asdict().items()}
    return words


def paged_sums(name: str, asked: Json, found: list[Json], amount: str, about: str) -> Json:
    """What was found for `page_of_sums` under its name, with the cursor of the next one if there is any."""
    shown, last = found[: asked["limit"]], None
    if len(found) > len(shown):
        row = shown[-1]
        last = cursors.encode_sum(cursors.Sum(abs(Decimal(row[amount])), row[about] or "", row["currency"]))
    return {name: shown, "next_cursor": last}
