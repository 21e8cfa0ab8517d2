"""FreeSWITCH brings its detail records here itself, as mod_json_cdr and mod_xml_cdr do."""

from marshmallow import Schema, fields
from werkzeug.wrappers import Response

from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.reports import BODY_LIMIT, checked, passed_on
from services.gateway.http import schemas
from shared.contracts.errors import Invalid
from shared.contracts.wire import text
from shared.feeds.freeswitch import translator
from shared.http.entrypoint import answer, bytes_of
from shared.plumbing import clock

RECORDS = "application/json, text/xml, application/x-www-form-urlencoded"


class RecordQuerySchema(Schema):
    """What the modules put after the address of their own accord."""

    uuid = fields.String(
        load_default="", validate=text(128, shortest=0), metadata=schemas.says("The leg's; the record says it too.")
    )


class FreeswitchEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/reports/freeswitch",
        query=RecordQuerySchema(),
        body=RECORDS,
        body_limit=BODY_LIMIT,
        answers={200: schemas.AcceptedSchema()},
    )
    def take_freeswitch_record(self, context: RequestContext) -> Response:
        """Take the detail record of one leg from FreeSWITCH, a repeat as well.

        As mod_json_cdr and mod_xml_cdr post it: JSON or XML, bare or as `cdr=`, in any of their encodings. They can
        send no header, so the key may come as the password of their `cred`. Anything but 200 they try again, as often
        as their `retries` say, and then keep in a file, which `journal import freeswitch-json` takes.
        """
        context.query()
        try:
            told = translator.translate(translator.read(bytes_of(context.request)), context.caller.tenant)
        except translator.NotUnderstood as error:
            raise Invalid("The record cannot be understood.", {"_schema": [str(error)]}) from error
        if not told:
            return answer({"accepted": 0, "calls": {}})
        return answer(passed_on(self.publishers, checked(told, context.caller, clock.now())))
