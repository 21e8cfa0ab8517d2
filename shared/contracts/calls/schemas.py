"""The wire shapes of calls' events and state. To change an event: raise its version, add an upcast, add a sample."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load

from shared.contracts.calls.events import (
    CallAnswered,
    CallConnecting,
    CallEnded,
    CallForwarded,
    CallGivenUp,
    CallPlaced,
    CallRecorded,
    CallRefused,
    CallReturned,
    CallReturnWithdrawn,
    CallState,
    Forward,
    PartyOffline,
    PartyRang,
)
from shared.contracts.values import Direction, EndedBy, Phase, Status
from shared.contracts.wire import PERSONAL, EventSchema, Instant, Length, wire


class CallEventSchema(EventSchema):
    call_id = fields.UUID(required=True)
    at = Instant(required=True)


class ReportedSchema(CallEventSchema):
    report_id = fields.String(required=True)


@wire(CallPlaced, "call_placed")
class CallPlacedSchema(ReportedSchema):
    direction = fields.Enum(Direction, by_value=True, required=True)
    caller = fields.String(required=True, metadata=PERSONAL)
    callee = fields.String(required=True, metadata=PERSONAL)
    caller_name = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    line = fields.String(required=True, allow_none=True)


@wire(CallConnecting, "call_connecting")
class CallConnectingSchema(ReportedSchema):
    group = fields.String(required=True, allow_none=True)


@wire(PartyRang, "party_rang")
class PartyRangSchema(ReportedSchema):
    party = fields.String(required=True, metadata=PERSONAL)


@wire(PartyOffline, "party_offline")
class PartyOfflineSchema(ReportedSchema):
    party = fields.String(required=True, metadata=PERSONAL)


@wire(CallAnswered, "call_answered")
class CallAnsweredSchema(ReportedSchema):
    party = fields.String(required=True, metadata=PERSONAL)


@wire(CallForwarded, "call_forwarded")
class CallForwardedSchema(ReportedSchema):
    to = fields.String(required=True, metadata=PERSONAL)
    line = fields.String(required=True, allow_none=True)


@wire(CallRefused, "call_refused")
class CallRefusedSchema(ReportedSchema):
    reason = fields.String(required=True)


@wire(CallRecorded, "call_recorded")
class CallRecordedSchema(ReportedSchema):
    file = fields.String(required=True, metadata=PERSONAL)
    format = fields.String(required=True, allow_none=True)
    started_at = Instant(required=True, allow_none=True)


@wire(CallEnded, "call_ended")
class CallEndedSchema(ReportedSchema):
    by = fields.Enum(EndedBy, by_value=True, required=True)
    cause = fields.Integer(required=True, allow_none=True)
    sip = fields.Integer(required=True, allow_none=True)


@wire(CallGivenUp, "call_given_up")
class CallGivenUpSchema(CallEventSchema):
    pass


@wire(CallReturned, "call_returned")
class CallReturnedSchema(CallEventSchema):
    returned_by = fields.UUID(required=True)


@wire(CallReturnWithdrawn, "call_return_withdrawn")
class CallReturnWithdrawnSchema(CallEventSchema):
    pass


class ForwardSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    to = fields.String(required=True, metadata=PERSONAL)
    line = fields.String(required=True, allow_none=True)
    at = Instant(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Forward:
        return Forward(**data)


class CallStateSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    call_id = fields.UUID(required=True)
    direction = fields.Enum(Direction, by_value=True, required=True, allow_none=True)
    status = fields.Enum(Status, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, required=True)
    rule = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    caller = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    caller_name = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    callee = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    line = fields.String(required=True, allow_none=True)
    groups = fields.List(fields.String(), required=True)
    rung = fields.List(fields.String(), required=True, metadata=PERSONAL)
    offline = fields.List(fields.String(), required=True, metadata=PERSONAL)
    answered_by = fields.List(fields.String(), required=True, metadata=PERSONAL)
    forwarded = fields.List(fields.Nested(ForwardSchema), required=True)
    ended_by = fields.Enum(EndedBy, by_value=True, required=True, allow_none=True)
    cause = fields.Integer(required=True, allow_none=True)
    sip = fields.Integer(required=True, allow_none=True)
    placed_at = Instant(required=True, allow_none=True)
    ringing_at = Instant(required=True, allow_none=True)
    answered_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)
    wait_time = Length(required=True, allow_none=True)
    talk_time = Length(required=True, allow_none=True)
    recorded = fields.Boolean(required=True)
    returned_by = fields.UUID(required=True, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> CallState:
        return CallState(**data)
