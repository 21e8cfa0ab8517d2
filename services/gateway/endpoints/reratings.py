"""A period rated again, or a draft tried on it: begun here, done by billing, watched until it is done."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.billing_report import LONG_COUNT, page_of_sums, paged_sums
from services.gateway.endpoints.charges import refusals
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.upstream import call_upstream
from shared.contracts.billing import rpc as billing
from shared.http.entrypoint import answer

PATH = "/api/v1/rerating"


class ReratingEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        PATH,
        body=billing_schemas.RerateBodySchema(),
        answers={202: billing_schemas.BegunSchema(), 409: PROBLEM},
    )
    def begin_rerating(self, context: RequestContext) -> Response:
        """Rate the calls of a period again, or see in a dry run what a tariff would make of them."""
        sent = context.body()
        words = {
            "command_id": context.command_id,
            "tenant": context.caller.tenant,
            "placed_from": sent["placed_from"],
            "placed_to": sent["placed_to"],
            "tariff_id": sent["tariff_id"],
            "dry_run": sent["dry_run"],
            "by": context.account.id,
        }
        with refusals():
            return answer(self.billing.call(billing.rerate, LONG_COUNT, **words), 202)

    @endpoint(
        "GET",
        f"{PATH}/<rerating_id>",
        query=billing_schemas.SumsPageQuerySchema(),
        answers={200: billing_schemas.ReratingSchema()},
    )
    def show_rerating(self, context: RequestContext, rerating_id: UUID) -> Response:
        """How far it is, and what it changes, by prefix."""
        about = {"tenant": context.caller.tenant, "rerating_id": rerating_id}
        told, asked = call_upstream(self.billing, billing.rerating, **about), context.query()
        found = call_upstream(self.billing, billing.rerating_sums, **about, **page_of_sums(asked))["by_prefix"]
        return answer({**told, **paged_sums("by_prefix", asked, found, "difference", "prefix")})
