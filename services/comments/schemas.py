"""What comments is asked over RPC, and what it answers."""

from marshmallow import Schema, fields, validate

from shared.contracts.values import Role
from shared.contracts.wire import PERSONAL, Instant

MOST = 1000


class CallQuerySchema(Schema):
    tenant = fields.String(required=True)
    call_id = fields.UUID(required=True)


class DeleteSchema(CallQuerySchema):
    command_id = fields.UUID(required=True)
    author_id = fields.UUID(required=True)
    role = fields.Enum(Role, by_value=True, required=True)


class WriteSchema(DeleteSchema):
    """`seen`: the version that the writer had before them, 0 for no comment; left out: whatever there is."""

    text = fields.String(required=True, metadata=PERSONAL)
    seen = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(min=0))


class ResendSchema(Schema):
    """`call_ids`, or the tenant's after `after` that have or had a comment, in their order, `limit` of them."""

    command_id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    call_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=MOST))
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


class VersionSchema(Schema):
    version = fields.Integer()
    action = fields.String()
    text = fields.String(allow_none=True)
    author_id = fields.String()
    at = Instant()


class TimelineEventSchema(Schema):
    owner = fields.Constant("comments")
    type = fields.String()
    at = Instant()
    recorded_at = Instant()
    data = fields.Dict()
    by = fields.String(allow_none=True)
