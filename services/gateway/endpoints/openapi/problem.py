"""The schema of a problem response, as `shared.http.problems.Problem` writes it."""

from marshmallow import INCLUDE, Schema, fields

from services.gateway.http.schemas import says


class FieldErrorSchema(Schema):
    """What is wrong with one field."""

    code = fields.String(required=True, metadata=says("Stable; translate by it."))
    params = fields.Dict(required=True, metadata=says("The values that the message mentions."))
    message = fields.String(required=True, metadata=says("The same in English."))


class ProblemSchema(Schema):
    """What went wrong (RFC 9457)."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata=says("`/problems/<slug>`, a page about the problem."))
    title = fields.String(required=True)
    status = fields.Integer(required=True, strict=True)
    detail = fields.String(required=True, metadata=says("What happened and what to do, in English."))
    code = fields.String(required=True, metadata=says("Stable; programs and translations go by it."))
    params = fields.Dict(required=True, metadata=says("The values that the detail mentions."))
    request_id = fields.String(required=True, metadata=says("The id of the request in our logs, also X-Request-Id."))
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(FieldErrorSchema)),
        metadata=says("What is invalid, by path: `text`, `lines.0.address`, in a file `17.number`; empty: the body."),
    )
    instance = fields.String(metadata=says("`urn:uuid:…` of a failure, which the logs know."))
