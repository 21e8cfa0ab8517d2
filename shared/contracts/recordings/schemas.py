"""The wire shapes of recordings' events and state. To change one: raise its version, add an upcast, add a sample."""

from marshmallow import EXCLUDE, Schema, fields, post_load, validate

from shared.contracts.recordings.events import (
    Format,
    Reason,
    RecordingDeleted,
    RecordingDownloaded,
    RecordingListened,
    RecordingState,
    RecordingStored,
    Status,
)
from shared.contracts.wire import EventSchema, Instant, Json, Length, wire

MAX_PEAK = 255


@wire(RecordingStored, "recording_stored")
class RecordingStoredSchema(EventSchema):
    call_id = fields.UUID(required=True)
    object_id = fields.UUID(required=True)
    format = fields.Enum(Format, by_value=True, required=True)
    duration = Length(required=True)
    size = fields.Integer(required=True, strict=True)
    sha256 = fields.String(required=True)
    peaks = fields.List(
        fields.Integer(strict=True, validate=validate.Range(0, MAX_PEAK)), required=True, allow_none=True
    )
    stored_at = Instant(required=True)


@wire(RecordingDeleted, "recording_deleted")
class RecordingDeletedSchema(EventSchema):
    call_id = fields.UUID(required=True)
    account_id = fields.UUID(required=True, allow_none=True)
    reason = fields.Enum(Reason, by_value=True, required=True)
    deleted_at = Instant(required=True)


@wire(RecordingListened, "recording_listened")
class RecordingListenedSchema(EventSchema):
    call_id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)
    listened_at = Instant(required=True)


@wire(RecordingDownloaded, "recording_downloaded")
class RecordingDownloadedSchema(EventSchema):
    call_id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)
    downloaded_at = Instant(required=True)


class RecordingStateSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    call_id = fields.UUID(required=True)
    status = fields.Enum(Status, by_value=True, required=True)
    format = fields.Enum(Format, by_value=True, required=True)
    duration = Length(required=True)
    size = fields.Integer(required=True, strict=True)
    sha256 = fields.String(required=True)
    stored_at = Instant(required=True)
    deleted_at = Instant(required=True, allow_none=True)

    @post_load
    def make(self, data: Json, **_: object) -> RecordingState:
        return RecordingState(**data)
