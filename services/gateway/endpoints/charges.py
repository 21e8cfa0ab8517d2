"""The price of a call with its explanation, and the calls that could not be priced."""

from datetime import datetime
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.domain.permissions import ACCOUNTING, READERS
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.scopes import find_call
from services.gateway.http import cursors
from services.gateway.http.cursors import Cursor
from services.gateway.http.upstream import call_upstream
from services.gateway.journal import entries
from shared.contracts.billing import rpc as billing
from shared.contracts.wire import Json
from shared.http.entrypoint import answer

FAILED_CHARGE_FIELDS = ("call_id", "state", "reason", "number", "due_at")


class ChargeEndpoints(EndpointGroup):
    @endpoint(
        "GET",
        "/api/v1/calls/<call_id>/price",
        roles=READERS,
        scope=find_call,
        answers={200: billing_schemas.CallPriceSchema()},
    )
    def show_price(self, context: RequestContext, call_id: UUID) -> Response:
        """The price of a call: its lines with their explanations, and earlier prices."""
        price = call_upstream(self.billing, billing.price, tenant=context.caller.tenant, call_id=call_id)
        if price["state"] == "not_due":
            # The journal may know of the end of the call before billing does.
            price |= entries.build_price(context.resource)
        return answer(price)

    @endpoint(
        "GET",
        "/api/v1/charges",
        roles=ACCOUNTING,
        query=billing_schemas.ChargesQuerySchema(),
        answers={200: billing_schemas.ChargesSchema()},
    )
    def list_charges(self, context: RequestContext) -> Response:
        """The calls that could not be priced, and why."""
        query = context.query
        charges = call_upstream(self.billing, billing.failed, tenant=context.caller.tenant, **page(query))["charges"]
        failed = [
            {**{name: charge[name] for name in FAILED_CHARGE_FIELDS}, "failed_at": charge["changed_at"]}
            for charge in charges
        ]
        return answer(paged("charges", query, failed, "failed_at", "call_id"))

    @endpoint(
        "POST",
        "/api/v1/charges/retry",
        roles=ACCOUNTING,
        body=billing_schemas.RetryBodySchema(),
        answers={202: billing_schemas.RetriedSchema()},
    )
    def retry_charges(self, context: RequestContext) -> Response:
        """Rate calls again that could not be priced, after the tariff was corrected."""
        call_ids = context.body["call_ids"]
        command = {"command_id": context.command_id, "tenant": context.caller.tenant}
        return answer(call_upstream(self.billing, billing.retry, call_ids=call_ids, **command), 202)


def page(query: Json) -> Json:
    """The parameters of billing for the requested page and one row more. Raises Invalid for a malformed cursor."""
    parameters = {"limit": query["limit"] + 1}
    if query["cursor"] is not None:
        after = cursors.CALLS.decode(query["cursor"])
        parameters |= {"after_at": after.placed_at, "after_id": after.call_id}
    return parameters


def paged(name: str, query: Json, rows: list[Json], at: str, id_: str) -> Json:
    """The rows of a `page` under `name`, with the cursor of the next page if there is one."""
    page, next_cursor = rows[: query["limit"]], None
    if len(rows) > len(page):
        last = page[-1]
        next_cursor = cursors.CALLS.encode(Cursor(datetime.fromisoformat(last[at]), UUID(last[id_])))
    return {name: page, "next_cursor": next_cursor}
