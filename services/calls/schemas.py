"""What calls is asked over RPC, and what it answers."""

from marshmallow import Schema, fields, validate

from shared.contracts.wire import Instant

MOST = 1000


class CallQuerySchema(Schema):
    tenant = fields.String(required=True)
    call_id = fields.UUID(required=True)


class ResendSchema(Schema):
    """`call_ids`, or every call of the tenant after `after`, in the order of ids, `limit` of them."""

    command_id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    call_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=MOST))
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


class TimelineEventSchema(Schema):
    owner = fields.Constant("calls")
    type = fields.String()
    at = Instant()
    recorded_at = Instant()
    data = fields.Dict()
    by = fields.String(allow_none=True)
