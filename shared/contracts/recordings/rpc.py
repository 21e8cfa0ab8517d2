"""The RPC methods of recordings."""

from marshmallow import fields

from shared.contracts.rpc import (
    CallQuerySchema,
    CommandSchema,
    ResponseSchema,
    RpcMethod,
    resend_method,
    timeline_method,
)


class DeleteSchema(CommandSchema):
    call_id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)


class DeletedSchema(ResponseSchema):
    """The recording after its deletion. `state` has the shape of `RecordingStateSchema`."""

    version = fields.Integer(required=True)
    state = fields.Dict(required=True)


class PeaksSchema(ResponseSchema):
    """The peak amplitude of each of equally long parts; null if the format cannot be decoded."""

    peaks = fields.List(fields.Integer(), required=True, allow_none=True)


delete = RpcMethod(owner="recordings", name="delete", request=DeleteSchema(), response=DeletedSchema())
peaks = RpcMethod(owner="recordings", name="peaks", request=CallQuerySchema(), response=PeaksSchema())
timeline = timeline_method("recordings")
resend = resend_method("recordings")
