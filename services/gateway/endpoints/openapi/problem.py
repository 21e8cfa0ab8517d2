"""What is answered instead, as `shared.http.entrypoint.Problem` writes it."""

from marshmallow import INCLUDE, Schema, fields

from services.gateway.http.schemas import says


class ProblemSchema(Schema):
    """What went wrong (RFC 9457)."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata=says("A stable slug that a program can read."))
    title = fields.String(required=True)
    status = fields.Integer(required=True, strict=True)
    detail = fields.String(required=True, metadata=says("What to do about it."))
    errors = fields.Dict(metadata=says("What is wrong, by field."))
    instance = fields.String(metadata=says("`urn:uuid:…` of a failure, which the logs know."))
