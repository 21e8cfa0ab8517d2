"""The RPC methods of comments."""

from marshmallow import fields, validate

from shared.contracts.rpc import (
    CallQuerySchema,
    CommandSchema,
    ResponseSchema,
    RpcMethod,
    resend_method,
    timeline_method,
)
from shared.contracts.values import Role
from shared.contracts.wire import PERSONAL, Instant


class DeleteSchema(CommandSchema):
    call_id = fields.UUID(required=True)
    author_id = fields.UUID(required=True)
    role = fields.Enum(Role, by_value=True, required=True)


class WriteSchema(DeleteSchema):
    """`seen` is the version that the author has read, 0 for no comment; null accepts any version."""

    text = fields.String(required=True, metadata=PERSONAL)
    seen = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(min=0))


class CommentSchema(ResponseSchema):
    """The comment after the command. `state` has the shape of `CommentStateSchema`."""

    created = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    state = fields.Dict(required=True)


class VersionSchema(ResponseSchema):
    """`action` is added, edited or deleted; `text` is null after a deletion."""

    version = fields.Integer(required=True)
    action = fields.String(required=True)
    text = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    author_id = fields.UUID(required=True)
    at = Instant(required=True)


class HistorySchema(ResponseSchema):
    """Oldest version first."""

    versions = fields.List(fields.Nested(VersionSchema), required=True)


write = RpcMethod(owner="comments", name="write", request=WriteSchema(), response=CommentSchema())
delete = RpcMethod(owner="comments", name="delete", request=DeleteSchema(), response=CommentSchema())
history = RpcMethod(owner="comments", name="history", request=CallQuerySchema(), response=HistorySchema())
timeline = timeline_method("comments")
resend = resend_method("comments")
