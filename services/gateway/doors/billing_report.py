"""What the calls of a period cost together: of days and prefixes billing tells, of people the journal."""

from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from services.gateway import billing_schemas, sums
from services.gateway.billing_schemas import By
from services.gateway.domain.filters import beginning
from services.gateway.doors.door import Door, Visit, door
from shared.contracts.errors import Invalid
from shared.contracts.wire import instant
from shared.web.http import answer

LONG_COUNT = 10.0
"""Seconds that billing may take to add up a long period."""


class BillingReportDoors(Door):
    @door(
        "GET",
        "/api/v1/billing/report",
        query=billing_schemas.BillingReportQuerySchema(),
        answers={200: billing_schemas.BillingReportSchema()},
    )
    def show_billing_report(self, visit: Visit) -> Response:
        """What calls cost together, by day, operator or prefix."""
        asked, caller = visit.asked(), visit.caller
        zone = ZoneInfo(caller.time_zone)
        placed_from, placed_to = (beginning(asked[name], zone) for name in ("placed_from", "placed_to"))
        if placed_from >= placed_to:
            raise Invalid("The period ends before it begins.", {"to": ["Is not after from."]})
        span = {"from": instant(placed_from), "to": instant(placed_to)}
        if asked["by"] is By.OPERATOR:
            with self.db.connection() as conn:
                found = sums.by_operator(conn, caller.tenant, placed_from, placed_to)
        else:
            words = {"placed_from": span["from"], "placed_to": span["to"], "by": asked["by"], "zone": caller.time_zone}
            found = self.billing.call("report", LONG_COUNT, tenant=caller.tenant, **words)
        return answer({"by": asked["by"], **span, **found})
