"""Reports of an exchange: the items of `POST /reports`, and the messages of the queue `calls.reports`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from shared.contracts.addresses import normalise
from shared.contracts.errors import FieldErrors, Invalid
from shared.contracts.validation import field_errors
from shared.contracts.values import Direction, EndedBy
from shared.contracts.wire import PERSONAL, Instant, Json, instant, text

Text = fields.String


ADDRESSES = ("caller", "callee", "line", "party", "to")
KEY, ADDRESS, NAME, FILE = text(128), text(256), text(256), text(1024)
CALLER = text(256, shortest=0)
"""A withheld number may come as an empty one."""


class PlacedData(Schema):
    direction = fields.Enum(Direction, by_value=True, required=True)
    caller = Text(required=True, validate=CALLER, metadata=PERSONAL)
    callee = Text(required=True, validate=ADDRESS, metadata=PERSONAL)
    caller_name = Text(load_default=None, allow_none=True, validate=NAME, metadata=PERSONAL)
    line = Text(load_default=None, allow_none=True, validate=ADDRESS)


class ConnectingData(Schema):
    group = Text(load_default=None, allow_none=True, validate=NAME)


class PartyData(Schema):
    party = Text(required=True, validate=ADDRESS, metadata=PERSONAL)


class ForwardedData(Schema):
    to = Text(required=True, validate=ADDRESS, metadata=PERSONAL)
    line = Text(load_default=None, allow_none=True, validate=ADDRESS)


class EndedData(Schema):
    by = fields.Enum(EndedBy, by_value=True, required=True)
    cause = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 127))
    sip = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(100, 699))


class RefusedData(Schema):
    reason = Text(required=True, validate=validate.OneOf(["no_channels"]))


class RecordedData(Schema):
    file = Text(required=True, validate=FILE, metadata=PERSONAL)
    format = Text(load_default=None, allow_none=True, validate=text(32))
    started_at = Instant(load_default=None, allow_none=True)


DATA: dict[str, Schema] = {
    "placed": PlacedData(),
    "connecting": ConnectingData(),
    "ringing": PartyData(),
    "offline": PartyData(),
    "answered": PartyData(),
    "forwarded": ForwardedData(),
    "ended": EndedData(),
    "refused": RefusedData(),
    "recorded": RecordedData(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report; `data` is loaded by the schema of its type."""

    report_id: str
    tenant: str
    call: str
    type: str
    at: datetime
    data: Json


class ReportSchema(Schema):
    """Refuses unknown fields, so that a misspelled field is not silently lost."""

    report_id = Text(required=True, validate=KEY)
    tenant = Text(required=True, validate=KEY)
    call = Text(required=True, validate=KEY)
    type = Text(required=True, validate=validate.OneOf(list(DATA)))
    at = Instant(required=True)
    data = fields.Dict(keys=fields.String(), load_default=dict)

    @post_load
    def make(self, report: Json, **_: Any) -> Report:
        try:
            data = DATA[report["type"]].load(report["data"])
        except ValidationError as error:
            raise ValidationError({"data": error.messages}) from error
        return Report(**{**report, "data": data})


_SCHEMA = ReportSchema()


def load(reports: Iterable[Any]) -> list[Report]:
    """The reports, or `Invalid` with all errors by index and field: `1.data.caller`."""
    loaded, errors = list[Report](), FieldErrors()
    for index, report in enumerate(reports):
        try:
            loaded.append(_SCHEMA.load(report))
        except ValidationError as error:
            errors |= field_errors(error.messages, str(index))
    if errors:
        raise Invalid(errors=errors)
    return loaded


def normalised(report: Report, region: str) -> Report:
    """The report with normalised addresses. Called once, when a report is received."""
    found = {name: normalise(report.data[name], region) for name in ADDRESSES if report.data.get(name)}
    return replace(report, data={**report.data, **found})


def dump(report: Report) -> Json:
    """The report as JSON; `load` of it is the same report."""
    return {
        "report_id": report.report_id,
        "tenant": report.tenant,
        "call": report.call,
        "type": report.type,
        "at": instant(report.at),
        "data": DATA[report.type].dump(report.data),
    }
