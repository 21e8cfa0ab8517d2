"""Reports of exchanges: validated, normalised and published to the broker for the calls service."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import INGEST_KEYS, Caller, KeyCredential
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http import schemas
from shared.contracts.calls import reports
from shared.contracts.calls.events import call_id
from shared.contracts.calls.reports import Report, ReportSchema
from shared.contracts.errors import FieldErrors, Invalid, field_error, in_line
from shared.contracts.wire import Json
from shared.http.entrypoint import answer, body_of
from shared.plumbing import clock, logs
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.publisher import Outgoing, Publishers

BODY_LIMIT = 2 * 1024 * 1024
MAX_REPORTS = 1000
MAX_CLOCK_LEAD = timedelta(hours=12)


def read_reports(context: RequestContext) -> list[Report]:
    return validate(body_of(context.request), context.caller, clock.now())


class ReportEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/reports",
        roles=INGEST_KEYS,
        key_credentials=[KeyCredential.SIGNATURE],
        body=ReportSchema(many=True),
        read_body=read_reports,
        body_limit=BODY_LIMIT,
        answers={202: schemas.AcceptedSchema()},
    )
    def take_reports(self, context: RequestContext) -> Response:
        """Report what happened to calls: 1 to 1000 reports, all of them accepted or none."""
        return answer(publish(self.publishers, context.body), 202)


def publish(publishers: Publishers, accepted: Sequence[Report]) -> Json:
    """Publish the reports and wait for the broker's confirmation; return the response."""
    publishers.publish([_outgoing(report) for report in cooperatively(accepted)])
    calls = {report.call: str(call_id(report.tenant, report.call)) for report in accepted}
    return {"accepted": len(accepted), "calls": calls}


def validate(body: Any, key: Caller, now: datetime) -> list[Report]:
    """The reports with normalised addresses. Raises Invalid by index if any report is wrong."""
    if not isinstance(body, list) or not 1 <= len(body) <= MAX_REPORTS:
        raise Invalid("wrong_number_of_reports", params={"max": MAX_REPORTS}, field="")
    loaded = [reports.normalised(report, key.region) for report in cooperatively(reports.load(cooperatively(body)))]
    first: dict[str, Report] = {}
    errors: FieldErrors = {}
    for index, report in enumerate(loaded):
        errors |= in_line(index, _errors(report, key.tenant, now, first.setdefault(report.report_id, report)))
    if errors:
        raise Invalid(errors=errors)
    return loaded


def _errors(report: Report, tenant: str, now: datetime, first: Report) -> FieldErrors:
    """The errors that no schema can find; `first` is the first report with this id in the request."""
    errors: FieldErrors = {}
    if report.tenant != tenant:
        errors["tenant"] = [field_error("wrong_tenant")]
    if report.at >= now + MAX_CLOCK_LEAD:
        errors["at"] = [field_error("too_far_in_future")]
    if report != first:
        errors["report_id"] = [field_error("report_id_used_for_other_content")]
    return errors


def _outgoing(report: Report) -> Outgoing:
    return Outgoing("reports", report.type, orjson.dumps(reports.dump(report)), logs.correlation_id())
