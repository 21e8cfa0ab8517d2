"""What an exchange tells us comes in here, is checked and normalised once, and waits in the broker for calls."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import Caller
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
MOST = 1000
TOO_FAR_AHEAD = timedelta(hours=12)


class ReportEndpoints(EndpointGroup):
    @endpoint(
        "POST",
        "/api/v1/reports",
        body=ReportSchema(many=True),
        body_limit=BODY_LIMIT,
        answers={202: schemas.AcceptedSchema()},
    )
    def take_reports(self, context: RequestContext) -> Response:
        """Tell what happened to calls: 1 to 1000 reports, all of them taken or none."""
        context.query()
        return answer(passed_on(self.publishers, checked(body_of(context.request), context.caller, clock.now())), 202)


def passed_on(publishers: Publishers, taken: Sequence[Report]) -> Json:
    """What is said of reports once the broker has confirmed them."""
    publishers.publish([_outgoing(report) for report in cooperatively(taken)])
    calls = {report.call: str(call_id(report.tenant, report.call)) for report in taken}
    return {"accepted": len(taken), "calls": calls}


def checked(sent: Any, key: Caller, now: datetime) -> list[Report]:
    """All that was sent, addresses normalised. Raises Invalid by index for any of it."""
    if not isinstance(sent, list) or not 1 <= len(sent) <= MOST:
        raise Invalid(f"Send a list of 1 to {MOST} reports.", {"_schema": [f"Not a list of 1 to {MOST} reports."]})
    taken = [reports.normalised(report, key.region) for report in cooperatively(reports.load(cooperatively(sent)))]
    first: dict[str, Report] = {}
    errors = {
        str(index): wrong
        for index, report in enumerate(taken)
        if (wrong := _wrong(report, key.tenant, now, first.setdefault(report.report_id, report)))
    }
    if errors:
        raise Invalid("A report cannot be taken.", errors)
    return taken


def _wrong(report: Report, tenant: str, now: datetime, first: Report) -> Json:
    """What no schema can say of a report; `first` is the first of its id in the request."""
    wrong = {}
    if report.tenant != tenant:
        wrong["tenant"] = ["Not the tenant of this key."]
    if report.at >= now + TOO_FAR_AHEAD:
        wrong["at"] = ["Too far in the future."]
    if report != first:
        wrong["report_id"] = ["Used in this request for another report."]
    return wrong


def _outgoing(report: Report) -> Outgoing:
    return Outgoing("reports", report.type, orjson.dumps(reports.dump(report)), logs.correlation_id())
