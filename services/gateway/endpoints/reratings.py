"""Reratings: start billing to rate a period again, or a dry run of a tariff, and read its progress."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.domain.permissions import ACCOUNTING
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.billing_report import REPORT_TIMEOUT, page_of_sums, paged_sums
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.upstream import call_upstream
from shared.contracts.billing import rpc as billing
from shared.contracts.wire import Json
from shared.http.entrypoint import answer

PATH = "/api/v1/rerating"


def find_rerating(group: EndpointGroup, context: RequestContext, rerating_id: UUID) -> Json:
    """The rerating as billing returns it. Raises NotFound."""
    return call_upstream(group.billing, billing.rerating, tenant=context.caller.tenant, rerating_id=rerating_id)


class ReratingEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        PATH,
        roles=ACCOUNTING,
        body=billing_schemas.RerateBodySchema(),
        answers={202: billing_schemas.BegunSchema(), 409: PROBLEM},
    )
    def begin_rerating(self, context: RequestContext) -> Response:
        """Rate the calls of a period again, or compute in a dry run what a tariff would change."""
        body = context.body
        parameters = {
            "command_id": context.command_id,
            "tenant": context.caller.tenant,
            "placed_from": body["placed_from"],
            "placed_to": body["placed_to"],
            "tariff_id": body["tariff_id"],
            "dry_run": body["dry_run"],
            "by": context.account.id,
        }
        return answer(self.billing.call(billing.rerate, REPORT_TIMEOUT, **parameters), 202)

    @endpoint(
        "GET",
        f"{PATH}/<rerating_id>",
        roles=ACCOUNTING,
        scope=find_rerating,
        query=billing_schemas.SumsPageQuerySchema(),
        answers={200: billing_schemas.ReratingSchema()},
    )
    def show_rerating(self, context: RequestContext, rerating_id: UUID) -> Response:
        """The progress of a rerating, and what it changes by prefix."""
        query, rerating = context.query, {"tenant": context.caller.tenant, "rerating_id": rerating_id}
        sums = call_upstream(self.billing, billing.rerating_sums, **rerating, **page_of_sums(query))["by_prefix"]
        return answer({**context.resource, **paged_sums("by_prefix", query, sums, "difference", "prefix")})
