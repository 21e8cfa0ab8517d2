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
from shared.contracts.errors import Invalid
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
        raise Invalid(
            f"Send a list of 1 to {MAX_REPORTS} reports.", {"_schema": [f"Not a list of 1 to {MAX_REPORTS} reports."]}
        )
    loaded = [reports.normalised(report, key.region) for report in cooperatively(reports.load(cooperatively(body)))]
    first: dict[str, Report] = {}
    errors = {
        str(index): report_errors
        for index, report in enumerate(loaded)
        if (report_errors := _errors(report, key.tenant, now, first.setdefault(report.report_id, report)))
    }
    if errors:
        raise Invalid("A report cannot be accepted.", errors)
    return loaded


def _errors(report: Report, tenant: str, now: datetime, first: Report) -> Json:
    """The errors that no schema can find; `first` is the first report with this id in the request."""
    errors = {}
    if report.tenant != tenant:
        errors["tenant"] = ["Not the tenant of this key."]
    if report.at >= now + MAX_CLOCK_LEAD:
        errors["at"] = ["Too far in the future."]
    if report != first:
        errors["report_id"] = ["Used in this request for another report."]
    return errors


def _outgoing(report: Report) -> Outgoing:
    return Outgoing("reports", report.type, orjson.dumps(reports.dump(report)), logs.correlation_id())
