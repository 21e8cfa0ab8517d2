"""Tariffs: drafted, imported and activated here, decided and kept by billing."""

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.endpoints import billing_schemas
from services.gateway.endpoints.charges import page, paged, refusals
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http import schemas
from services.gateway.http.upstream import call_upstream
from shared.contracts.billing import rpc as billing
from shared.contracts.billing.rates import MOST_RATES
from shared.contracts.errors import Invalid, NotFound
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer, body_of, bytes_of
from shared.plumbing.cooperative import cooperatively

PATH = "/api/v1/tariffs"
ONE = f"{PATH}/<tariff_id>"
BODY_LIMIT = 16 * 1024 * 1024
SLICE = 180 * 1024
"""Bytes of a long body that billing is sent at a time."""
BESIDE_THE_RATES = 3
"""Brackets of a tariff around its rates: its own, its rounding's and those of the list."""
MOST_COMMAS = 1_400_000
"""More than a body has room for, if there is a rate's field between each two."""
PIECE = 100
"""Rates that are encoded at a stretch."""
LONG_WORK = 20.0
"""Seconds that billing may take to check and keep a long price list."""
CSV = ("text/csv", "text/plain", "application/csv", "application/vnd.ms-excel", "application/octet-stream")
HEAD, TARIFF = billing_schemas.TariffHeadSchema(), billing_schemas.TariffSchema()


class TariffEndpoints(EndpointGroup):
    @endpoint("GET", PATH, query=billing_schemas.PageQuerySchema(), answers={200: billing_schemas.TariffsSchema()})
    def list_tariffs(self, context: RequestContext) -> Response:
        """The company's tariffs, the newest first, without their rates."""
        asked = context.query()
        found = call_upstream(self.billing, billing.tariffs, tenant=context.caller.tenant, **page(asked))["tariffs"]
        return answer(paged("tariffs", asked, [_listed(one) for one in found], "drafted_at", "id"))

    @endpoint(
        "POST",
        PATH,
        body=billing_schemas.TariffBodySchema(),
        body_limit=BODY_LIMIT,
        answers={201: TARIFF, 409: PROBLEM},
    )
    def draft_tariff(self, context: RequestContext) -> Response:
        """Draft a tariff."""
        context.query()
        return answer(self._draft(context, context.command_id, *_drafted(context)), 201)

    @endpoint(
        "POST",
        f"{PATH}/import",
        query=billing_schemas.ImportQuerySchema(),
        body="text/csv",
        body_limit=BODY_LIMIT,
        answers={201: TARIFF, 409: PROBLEM},
    )
    def import_tariff(self, context: RequestContext) -> Response:
        """Draft a tariff from a CSV whose columns are the fields of a rate."""
        head = context.query()
        if context.request.mimetype not in CSV:
            raise Problem(415, "wrong-content", "Wrong content", "Send CSV with Content-Type: text/csv.")
        content = bytes_of(context.request)
        if not content:
            raise Invalid("The rates are malformed.", {"line 1": {"columns": ["Is empty."]}})
        return answer(self._draft(context, context.command_id, head, content, "csv"), 201)

    @endpoint("GET", ONE, answers={200: TARIFF})
    def show_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """One tariff with its rates."""
        found = self._find_tariff(context, tariff_id)
        context.query()
        return answer(self._whole(context, found))

    @endpoint(
        "PUT", ONE, body=billing_schemas.TariffBodySchema(), body_limit=BODY_LIMIT, answers={200: TARIFF, 409: PROBLEM}
    )
    def redraft_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Write a draft anew; an active tariff never changes."""
        self._find_tariff(context, tariff_id)
        context.query()
        return answer(self._draft(context, tariff_id, *_drafted(context)))

    @endpoint("DELETE", ONE, answers={204: "", 409: PROBLEM})
    def discard_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Throw a draft away."""
        self._find_tariff(context, tariff_id)
        context.query()
        self._order_tariff(billing.discard_tariff, context, tariff_id)
        return answer(None, 204)

    @endpoint("POST", f"{ONE}/activate", body=billing_schemas.ActivateBodySchema(), answers={200: TARIFF, 409: PROBLEM})
    def activate_tariff(self, context: RequestContext, tariff_id: UUID) -> Response:
        """Let a draft rule the calls answered from an instant on; the tariff before it ends there."""
        self._find_tariff(context, tariff_id)
        valid_from = context.body()["valid_from"]
        activated = self._order_tariff(billing.activate_tariff, context, tariff_id, valid_from=valid_from)
        return answer(self._whole(context, activated))

    def _find_tariff(self, context: RequestContext, tariff_id: UUID) -> Json:
        found = call_upstream(self.billing, billing.tariff, tenant=context.caller.tenant, tariff_id=tariff_id)
        if found["state"] == "discarded":
            raise NotFound
        return found

    def _draft(self, context: RequestContext, tariff_id: UUID, head: Json, content: bytes, format_: str) -> Json:
        """Send the rates slice by slice, then let billing take them all or none."""
        upload = {"id": str(context.command_id), "format": format_, "slices": 0}
        for number, start in enumerate(range(0, len(content), SLICE)):
            part = b64encode(content[start : start + SLICE]).decode()
            about = {"upload_id": upload["id"], "tenant": context.caller.tenant}
            call_upstream(self.billing, billing.upload, number=number, content=part, **about)
            upload["slices"] = number + 1
        return self._whole(context, self._order_tariff(billing.draft_tariff, context, tariff_id, upload=upload, **head))

    def _order_tariff(self, method: RpcMethod, context: RequestContext, tariff_id: UUID, **words: Any) -> Json:
        who = {"tenant": context.caller.tenant, "by": context.account.id}
        with refusals():
            told: Json = self.billing.call(
                method, LONG_WORK, command_id=context.command_id, tariff_id=tariff_id, **who, **words
            )
        return told

    def _whole(self, context: RequestContext, found: Json) -> Json:
        """The tariff with its rates, which billing tells a thousand at a time."""
        about, rates = {"tenant": context.caller.tenant, "tariff_id": found["tariff_id"]}, list[Json]()
        while len(rates) < found["count"]:
            number = len(rates) // billing.RATES_PER_SLICE
            more: list[Json] = call_upstream(self.billing, billing.rates, slice=number, **about)["rates"]
            if not more:
                break
            rates += more
        return {**_listed(found), "rates": rates}


def _drafted(context: RequestContext) -> tuple[Json, bytes, str]:
    """What was sent, its rates as they came: there may be many, and it is billing that checks them."""
    content = bytes_of(context.request)
    # Counted before they are objects, of which 16 MiB can hold more than we have memory for.
    too_many = content.count(b"{") + content.count(b"[") > MOST_RATES + BESIDE_THE_RATES
    if too_many or content.count(b",") > MOST_COMMAS:
        raise Invalid("The rates are too many.", {"rates": [f"{MOST_RATES} at most."]})
    body = body_of(context.request)
    if not isinstance(body, dict):
        schemas.load(HEAD, body)
    rates = body.pop("rates", [])
    if not isinstance(rates, list):
        raise Invalid("The rates are malformed.", {"rates": ["Not a list."]})
    head = schemas.load(HEAD, body)
    return head, _encoded(rates), "json"


def _encoded(rates: list[Any]) -> bytes:
    """As JSON, piece by piece, so that others are not kept waiting."""
    starts = cooperatively(range(0, len(rates), PIECE))
    return f"[{','.join(json.dumps(rates[start : start + PIECE])[1:-1] for start in starts)}]".encode()


def _listed(found: Json) -> Json:
    names = ("name", "currency", "rounding", "state", "version", "drafted_at")
    return {
        "id": found["tariff_id"],
        **{name: found[name] for name in names},
        "rate_count": found["count"],
        "from": found["valid_from"],
        "to": found["valid_to"],
    }
