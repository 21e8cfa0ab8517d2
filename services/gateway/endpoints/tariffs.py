"""Tariffs: drafted, imported and activated by commands to billing, which stores them."""

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.domain.permissions import ACCOUNTING
from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.charges import page, paged
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http import schemas
from services.gateway.http.upstream import call_upstream
from shared.contracts.billing import rpc as billing
from shared.contracts.billing.rates import MAX_RATES_PER_TARIFF, REQUIRED_COLUMNS
from shared.contracts.errors import Invalid, NotFound, field_error
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer, body_of, bytes_of
from shared.plumbing.cooperative import cooperatively

PATH = "/api/v1/tariffs"
TARIFF_PATH = f"{PATH}/<tariff_id>"
BODY_LIMIT = 16 * 1024 * 1024
SLICE_BYTES = 180 * 1024
"""Bytes of a long body that one upload call carries."""
OTHER_BRACKETS = 3
"""Brackets of a tariff besides those of its rates: its own, its rounding's and those of the list."""
MAX_COMMAS = 1_400_000
"""More than a valid body can contain, which has a field of a rate between two commas."""
RATES_PER_CHUNK = 100
"""Rates encoded before other requests get a turn."""
DRAFT_TIMEOUT = 20.0
"""Seconds that billing may take to check and store a long price list."""
CSV = ("text/csv", "text/plain", "application/csv", "application/vnd.ms-excel", "application/octet-stream")
HEAD, TARIFF = billing_schemas.TariffHeadSchema(), billing_schemas.TariffSchema()


def find_tariff(group: EndpointGroup, context: RequestContext, tariff_id: UUID) -> Json:
    """The tariff as billing returns it. Raises NotFound."""
    tariff = call_upstream(group.billing, billing.tariff, tenant=context.caller.tenant, tariff_id=tariff_id)
    if tariff["state"] == "discarded":
        raise NotFound
    return tariff


def read_csv(context: RequestContext) -> bytes:
    if context.request.mimetype not in CSV:
        raise Problem("wrong_content_type", params={"expected": CSV[0]})
    content = bytes_of(context.request)
    if not content:
        raise Invalid("file_has_errors", errors={"1": [field_error("file_empty", columns=REQUIRED_COLUMNS)]})
    return content


def read_draft(context: RequestContext) -> tuple[Json, bytes, str]:
    """The head, the encoded rates and their format. Billing checks the rates, of which there may be many."""
    content = bytes_of(context.request)
    # Counted before parsing: 16 MiB of JSON can contain more objects than fit into memory.
    too_many = content.count(b"{") + content.count(b"[") > MAX_RATES_PER_TARIFF + OTHER_BRACKETS
    if too_many or content.count(b",") > MAX_COMMAS:
        raise Invalid("too_many_rates", params={"max": MAX_RATES_PER_TARIFF}, field="rates")
    body = body_of(context.request)
    if not isinstance(body, dict):
        schemas.load(HEAD, body)
    rates = body.pop("rates", [])
    if not isinstance(rates, list):
        raise Invalid("not_list", field="rates")
    head = schemas.load(HEAD, body)
    return head, _encoded(rates), "json"


class TariffEndpoints(EndpointGroup):
    @endpoint(
        "GET",
        PATH,
        roles=ACCOUNTING,
        query=billing_schemas.PageQuerySchema(),
        answers={200: billing_schemas.TariffsSchema()},
    )
    def list_tariffs(self, context: RequestContext) -> Response:
        """The company's tariffs, the newest first, without their rates."""
        query = context.query
        tariffs = call_upstream(self.billing, billing.tariffs, tenant=context.caller.tenant, **page(query))["tariffs"]
        return answer(paged("tariffs", query, [_listed(tariff) for tariff in tariffs], "drafted_at", "id"))

    @endpoint(
        "POST",
        PATH,
        roles=ACCOUNTING,
        body=billing_schemas.TariffBodySchema(),
        read_body=read_draft,
        body_limit=BODY_LIMIT,
        answers={201: TARIFF, 409: PROBLEM},
    )
    def draft_tariff(self, context: RequestContext) -> Response:
        """Draft a tariff."""
        return answer(self._draft(context, context.command_id, *context.body), 201)

    @endpoint(
        "POST",
        f"{PATH}/import",
        roles=ACCOUNTING,
        query=billing_schemas.ImportQuerySchema(),
        body="text/csv",
        read_body=read_csv,
        body_limit=BODY_LIMIT,
        answers={201: TARIFF, 409: PROBLEM},
    )
    def import_tariff(self, context: RequestContext) -> Response:
        """Draft a tariff from a CSV whose columns are the fields of a rate."""
        return answer(self._draft(context, context.command_id, context.query, context.body, "csv"), 201)

    @endpoint("GET", TARIFF_PATH, roles=ACCOUNTING, scope=find_tariff, answers={200: TARIFF})
    def show_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """One tariff with its rates."""
        return answer(self._with_rates(context, context.resource))

    @endpoint(
        "PUT",
        TARIFF_PATH,
        roles=ACCOUNTING,
        scope=find_tariff,
        body=billing_schemas.TariffBodySchema(),
        read_body=read_draft,
        body_limit=BODY_LIMIT,
        answers={200: TARIFF, 409: PROBLEM},
    )
    def redraft_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Replace a draft; an active tariff never changes."""
        return answer(self._draft(context, tariff_id, *context.body))

    @endpoint("DELETE", TARIFF_PATH, roles=ACCOUNTING, scope=find_tariff, answers={204: "", 409: PROBLEM})
    def discard_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Discard a draft."""
        self._tariff_command(billing.discard_tariff, context, tariff_id)
        return answer(None, 204)

    @endpoint(
        "POST",
        f"{TARIFF_PATH}/activate",
        roles=ACCOUNTING,
        scope=find_tariff,
        body=billing_schemas.ActivateBodySchema(),
        answers={200: TARIFF, 409: PROBLEM},
    )
    def activate_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Activate a draft for the calls answered from an instant on; the tariff before it ends there."""
        valid_from = context.body["valid_from"]
        activated = self._tariff_command(billing.activate_tariff, context, tariff_id, valid_from=valid_from)
        return answer(self._with_rates(context, activated))

    def _draft(self, context: RequestContext, tariff_id: UUID, head: Json, content: bytes, format_: str) -> Json:
        """Upload the rates in slices, then command billing to store them all or none."""
        upload = {"id": str(context.command_id), "format": format_, "slices": 0}
        for number, start in enumerate(range(0, len(content), SLICE_BYTES)):
            part = b64encode(content[start : start + SLICE_BYTES]).decode()
            slice_of = {"upload_id": upload["id"], "tenant": context.caller.tenant}
            call_upstream(self.billing, billing.upload, number=number, content=part, **slice_of)
            upload["slices"] = number + 1
        drafted = self._tariff_command(billing.draft_tariff, context, tariff_id, upload=upload, **head)
        return self._with_rates(context, drafted)

    def _tariff_command(self, method: RpcMethod, context: RequestContext, tariff_id: UUID, **parameters: Any) -> Json:
        author = {"tenant": context.caller.tenant, "by": context.account.id}
        tariff: Json = self.billing.call(
            method, DRAFT_TIMEOUT, command_id=context.command_id, tariff_id=tariff_id, **author, **parameters
        )
        return tariff

    def _with_rates(self, context: RequestContext, tariff: Json) -> Json:
        """The tariff with its rates, which billing returns a thousand at a time."""
        key, rates = {"tenant": context.caller.tenant, "tariff_id": tariff["tariff_id"]}, list[Json]()
        while len(rates) < tariff["count"]:
            number = len(rates) // billing.RATES_PER_SLICE
            more: list[Json] = call_upstream(self.billing, billing.rates, slice=number, **key)["rates"]
            if not more:
                break
            rates += more
        return {**_listed(tariff), "rates": rates}


def _encoded(rates: list[Any]) -> bytes:
    """The rates as JSON, encoded in chunks so that other requests get a turn."""
    starts = cooperatively(range(0, len(rates), RATES_PER_CHUNK))
    return f"[{','.join(json.dumps(rates[start : start + RATES_PER_CHUNK])[1:-1] for start in starts)}]".encode()


def _listed(tariff: Json) -> Json:
    names = ("name", "currency", "rounding", "state", "version", "drafted_at")
    return {
        "id": tariff["tariff_id"],
        **{name: tariff[name] for name in names},
        "rate_count": tariff["count"],
        "from": tariff["valid_from"],
        "to": tariff["valid_to"],
    }
