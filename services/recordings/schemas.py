"""What recordings is asked over RPC, and what it answers."""

from marshmallow import Schema, fields, validate

from shared.contracts.recordings.events import Format
from shared.contracts.wire import Instant, Length

MOST = 1000


class CallQuerySchema(Schema):
    tenant = fields.String(required=True)
    call_id = fields.UUID(required=True)


class DeleteSchema(CallQuerySchema):
    command_id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)


class ResendSchema(Schema):
    """`call_ids`, or the tenant's after `after` that have or had a recording, in their order, `limit` of them."""

    command_id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    call_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=MOST))
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


class UploadedSchema(Schema):
    """What an upload is answered."""

    call_id = fields.UUID()
    format = fields.Enum(Format, by_value=True)
    duration_seconds = Length(attribute="duration")
    size = fields.Integer()
    sha256 = fields.String()


class TimelineEventSchema(Schema):
    owner = fields.Constant("recordings")
    type = fields.String()
    at = Instant()
    recorded_at = Instant()
    data = fields.Dict()
    by = fields.String(allow_none=True)
