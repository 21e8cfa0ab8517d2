"""The wire shapes of comments' events and state. To change an event: raise its version, add an upcast, add a sample."""

from marshmallow import EXCLUDE, Schema, fields, post_load

from shared.contracts.comments.events import CommentAdded, CommentDeleted, CommentEdited, CommentState
from shared.contracts.wire import PERSONAL, EventSchema, Instant, Json, wire


class CommentEventSchema(EventSchema):
    call_id = fields.UUID(required=True)
    author_id = fields.UUID(required=True)


@wire(CommentAdded, "comment_added")
class CommentAddedSchema(CommentEventSchema):
    text = fields.String(required=True, metadata=PERSONAL)
    added_at = Instant(required=True)


@wire(CommentEdited, "comment_edited")
class CommentEditedSchema(CommentEventSchema):
    text = fields.String(required=True, metadata=PERSONAL)
    edited_at = Instant(required=True)


@wire(CommentDeleted, "comment_deleted")
class CommentDeletedSchema(CommentEventSchema):
    deleted_at = Instant(required=True)


class CommentStateSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    call_id = fields.UUID(required=True)
    text = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    author_id = fields.UUID(required=True, allow_none=True)
    created_at = Instant(required=True, allow_none=True)
    updated_at = Instant(required=True, allow_none=True)

    @post_load
    def make(self, data: Json, **_: object) -> CommentState:
        return CommentState(**data)
