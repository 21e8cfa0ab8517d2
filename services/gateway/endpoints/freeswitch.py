"""Call detail records that FreeSWITCH posts itself (mod_json_cdr, mod_xml_cdr)."""

from marshmallow import Schema, fields
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import INGEST_KEYS, KeyCredential
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.reports import BODY_LIMIT, publish, validate
from services.gateway.http import schemas
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json, text
from shared.feeds.freeswitch import translator
from shared.http.entrypoint import answer, bytes_of
from shared.plumbing import clock

RECORDS = "application/json, text/xml, application/x-www-form-urlencoded"


class RecordQuerySchema(Schema):
    """The parameter that the modules append to the URL."""

    uuid = fields.String(
        load_default="",
        validate=text(128, shortest=0),
        metadata=schemas.says("The leg's id, which the record contains too."),
    )


def read_record(context: RequestContext) -> list[Json]:
    """The reports of a record, to be validated. Raises Problem 408, and Invalid for what cannot be parsed."""
    try:
        return translator.translate(translator.read(bytes_of(context.request)), context.caller.tenant)
    except translator.InvalidRecord as error:
        raise Invalid("record_not_understood", params={"reason": str(error)}, field="") from error


class FreeswitchEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/reports/freeswitch",
        roles=INGEST_KEYS,
        key_credentials=[KeyCredential.PASSWORD],
        query=RecordQuerySchema(),
        body=RECORDS,
        read_body=read_record,
        body_limit=BODY_LIMIT,
        answers={200: schemas.AcceptedSchema()},
    )
    def take_freeswitch_record(self, context: RequestContext) -> Response:
        """Accept the detail record of one leg from FreeSWITCH. A repetition is accepted as well.

        As mod_json_cdr and mod_xml_cdr post it: JSON or XML, bare or as `cdr=`, in any of their encodings. They cannot
        send headers, so the key may be the password of their `cred`. After any response but 200 they repeat it, as
        often as their `retries` say, and then write a file, which `journal import freeswitch-json` imports.
        """
        if not context.body:
            return answer({"accepted": 0, "calls": {}})
        return answer(publish(self.publishers, validate(context.body, context.caller, clock.now())))
