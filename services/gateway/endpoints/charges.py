"""The price of a call explained, and the calls that could not be priced."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.domain.scope import scope_of
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http import cursors
from services.gateway.http.cursors import Cursor
from services.gateway.http.upstream import call_upstream
from services.gateway.journal import entries, page_query
from shared.contracts.billing import rpc as billing
from shared.contracts.errors import Rejected
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer

REFUSALS = {
    "tariff_has_no_rates": "A tariff without rates prices nothing: give it some first.",
    "tariff_is_active": "A tariff that was activated never changes: draft another.",
    "tariff_is_discarded": "The draft was thrown away.",
}
FAILED = ("call_id", "state", "reason", "number", "due_at")


class ChargeEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/calls/<call_id>/price", answers={200: billing_schemas.CallPriceSchema()})
    def show_price(self, context: RequestContext, call_id: UUID) -> Response:
        """The price of a call: its lines, why they cost what they do, and earlier prices."""
        with self.db.autocommit() as conn:
            row = page_query.get_call(conn, scope_of(context.caller), call_id)
        context.query()
        price = call_upstream(self.billing, billing.price, tenant=context.caller.tenant, call_id=call_id)
        if price["state"] == "not_due":
            # Billing may not have heard of the end yet that is in the journal already.
            price |= entries.build_price(row)
        return answer(price)

    @endpoint(
        "GET",
        "/api/v1/charges",
        query=billing_schemas.ChargesQuerySchema(),
        answers={200: billing_schemas.ChargesSchema()},
    )
    def list_charges(self, context: RequestContext) -> Response:
        """The calls that could not be priced, and why."""
        asked = context.query()
        found = call_upstream(self.billing, billing.failed, tenant=context.caller.tenant, **page(asked))["charges"]
        shown = [{**{name: one[name] for name in FAILED}, "failed_at": one["changed_at"]} for one in found]
        return answer(paged("charges", asked, shown, "failed_at", "call_id"))

    @endpoint(
        "POST",
        "/api/v1/charges/retry",
        body=billing_schemas.RetryBodySchema(),
        answers={202: billing_schemas.RetriedSchema()},
    )
    def retry_charges(self, context: RequestContext) -> Response:
        """Rate calls once more that could not be priced, now that the tariff is mended."""
        call_ids = context.body()["call_ids"]
        about = {"command_id": context.command_id, "tenant": context.caller.tenant}
        return answer(call_upstream(self.billing, billing.retry, call_ids=call_ids, **about), 202)


def page(asked: Json) -> Json:
    """The page that is asked for and one more, in billing's words. Raises Invalid for a cursor that is not ours."""
    words = {"limit": asked["limit"] + 1}
    if asked["cursor"] is not None:
        after = cursors.decode(asked["cursor"])
        words |= {"after_at": after.placed_at, "after_id": after.call_id}
    return words


def paged(name: str, asked: Json, found: list[Json], at: str, about: str) -> Json:
    """What was found for `page` under its name, with the cursor of the next one if there is any."""
    shown, last = found[: asked["limit"]], None
    if len(found) > len(shown):
        last = cursors.encode(Cursor(datetime.fromisoformat(shown[-1][at]), UUID(shown[-1][about])))
    return {name: shown, "next_cursor": last}


@contextmanager
def refusals() -> Iterator[None]:
    """What billing refuses, in the words of this house's doors."""
    try:
        yield
    except Rejected as error:
        reason = str(error)
        raise Problem(409, reason.replace("_", "-"), "Conflict", REFUSALS.get(reason, reason)) from error
