"""The response to an upload."""

from marshmallow import Schema, fields

from shared.contracts.recordings.events import Format
from shared.contracts.wire import Length


class UploadedSchema(Schema):
    """The recording that was stored."""

    call_id = fields.UUID()
    format = fields.Enum(Format, by_value=True)
    duration_seconds = Length(attribute="duration")
    size = fields.Integer()
    sha256 = fields.String()
