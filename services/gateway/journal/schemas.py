"""What is asked of the journal, and what it answers: entries, their parts, and counters."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.gateway.domain.exporting import Format, Language
from services.gateway.domain.filters import Has, Period
from services.gateway.http.schemas import LARGEST_PAGE, PAGE, Moment, says
from services.gateway.journal import last_event_id
from shared.contracts.comments.text import comment_text
from shared.contracts.errors import Invalid
from shared.contracts.validation import CodedMessage, coded
from shared.contracts.values import Direction, EndedBy, Phase, Status
from shared.contracts.wire import Instant, Json, text

LONGEST_TALK = 10_000_000
LAST_VERSION = 2**31 - 1


def several(values: Any, description: str) -> fields.List[Any]:
    return fields.List(fields.Enum(values, by_value=True), load_default=list, metadata=says(description))


class FilterSchema(Schema):
    """Which calls: what the list, its summary, its export and its stream have in common."""

    placed_from = Moment(data_key="from", load_default=None, metadata=says("Placed then or later."))
    placed_to = Moment(data_key="to", load_default=None, metadata=says("Placed earlier than that."))
    period = fields.Enum(Period, by_value=True, load_default=None, metadata=says("Days, instead of from and to."))
    direction = several(Direction, "Any of these directions.")
    status = several(Status, "Any of these outcomes.")
    phase = several(Phase, "Any of these phases.")
    party = fields.String(
        load_default=None, validate=text(256), metadata=says("A number, extension or SIP address, of either side.")
    )
    account = fields.UUID(load_default=None, metadata=says("The calls of this account's lines."))
    q = fields.String(
        load_default=None, validate=text(100), metadata=says("Part of a name, of a number or of a comment.")
    )
    has = several(Has, "All of these.")
    min_talk = fields.Decimal(
        load_default=None,
        validate=validate.Range(0, LONGEST_TALK),
        metadata=says("They talked so many seconds or longer."),
    )
    max_talk = fields.Decimal(
        load_default=None,
        validate=validate.Range(0, LONGEST_TALK),
        metadata=says("They talked so many seconds or shorter."),
    )

    @validates_schema
    def refuse_two_spans(self, asked: Json, **_: Any) -> None:
        if asked["period"] and (asked["placed_from"] or asked["placed_to"]):
            raise ValidationError(CodedMessage("period_with_dates"), "period")

    @validates_schema
    def refuse_blank_text(self, asked: Json, **_: Any) -> None:
        if asked["q"] is not None and not asked["q"].strip():
            raise ValidationError(CodedMessage("blank"), "q")


class ResumeSchema(Schema):
    """The header by which a stream goes on."""

    last_event_id = fields.String(
        data_key=last_event_id.HEADER,
        metadata=says("`id` of the last event that arrived; left out, the stream begins now."),
    )


class JournalQuerySchema(FilterSchema):
    """The parameters of `GET /journal`."""

    limit = fields.Integer(
        load_default=PAGE, validate=validate.Range(1, LARGEST_PAGE), metadata=says("How many calls to a page.")
    )
    cursor = fields.String(
        load_default=None,
        validate=text(100),
        metadata=says("`next_cursor` or `previous_cursor` of a page, with the same filters."),
    )


class ExportQuerySchema(FilterSchema):
    """The parameters of `GET /journal/export`; `lang` is the language of the header row."""

    format = fields.Enum(Format, by_value=True, required=True, metadata=says("What kind of file."))
    lang = fields.Enum(
        Language, by_value=True, load_default=Language.UKRAINIAN, metadata=says("The language of the header row.")
    )


class PartySchema(Schema):
    address = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(["employee", "contact", "number", "sip", "withheld"]))
    account_id = fields.UUID()


class AuthorSchema(Schema):
    account_id = fields.UUID(required=True)
    name = fields.String(required=True)


class CommentSchema(Schema):
    text = fields.String(required=True)
    author = fields.Nested(AuthorSchema, required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    version = fields.Integer(required=True, strict=True)


class CommentText(fields.String):
    """As a comment is kept: in NFC and trimmed."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return comment_text(super()._deserialize(value, attr, data, **kwargs))
        except Invalid as error:
            raise coded(error.code, **error.params) from error


class WriteCommentSchema(Schema):
    """`version`: of the comment that is to be edited, 0 where there was none; left out, whatever there is."""

    text = CommentText(required=True)
    version = fields.Integer(load_default=None, strict=True, validate=validate.Range(0, LAST_VERSION))


class CommentVersionSchema(Schema):
    version = fields.Integer(required=True, strict=True)
    action = fields.String(required=True, validate=validate.OneOf(["added", "edited", "deleted"]))
    text = fields.String(required=True, allow_none=True)
    author = fields.Nested(AuthorSchema, required=True)
    at = Instant(required=True)


class CommentHistorySchema(Schema):
    """Every version of a comment, oldest first."""

    versions = fields.List(fields.Nested(CommentVersionSchema), required=True)


class PriceSchema(Schema):
    state = fields.String(required=True, validate=validate.OneOf(["not_due", "pending", "priced", "failed"]))
    amount = fields.Decimal(required=True, allow_none=True, as_string=True)
    currency = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class RecordingSchema(Schema):
    state = fields.String(required=True, validate=validate.OneOf(["none", "available", "deleted"]))
    duration_seconds = fields.Decimal(required=True, allow_none=True, as_string=True)
    format = fields.String(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True, strict=True)


class DownloadQuerySchema(Schema):
    """`download`: 1 for a file to be saved, 0 or left out for sound to be played."""

    download = fields.Integer(
        load_default=0, validate=validate.OneOf([0, 1]), metadata=says("1 for a file to be saved.")
    )


class PeaksSchema(Schema):
    """How loud each of as many equal parts of a recording is, 0 to 255; null where nobody can tell."""

    peaks = fields.List(fields.Integer(strict=True), required=True, allow_none=True)


class TimelineEventSchema(Schema):
    owner = fields.String(required=True)
    type = fields.String(required=True)
    at = Instant(required=True)
    recorded_at = Instant(required=True)
    data = fields.Dict(required=True)
    by = fields.String(required=True, allow_none=True)


class TimelineSchema(Schema):
    """Every event of a call from every owner, in order of happening."""

    events = fields.List(fields.Nested(TimelineEventSchema), required=True)


class EntrySchema(Schema):
    """One call of the journal. `entries.build_entry` makes it by hand, for speed; a test holds the two together."""

    call_id = fields.UUID(required=True)
    direction = fields.Enum(Direction, by_value=True, required=True)
    status = fields.Enum(Status, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, required=True)
    rule = fields.String(required=True)
    caller = fields.Nested(PartySchema, required=True)
    callee = fields.Nested(PartySchema, required=True)
    answered_by = fields.Nested(PartySchema, required=True, allow_none=True)
    rung = fields.List(fields.String(), required=True)
    offline = fields.List(fields.String(), required=True)
    line = fields.String(required=True, allow_none=True)
    ended_by = fields.Enum(EndedBy, by_value=True, required=True, allow_none=True)
    cause = fields.Integer(required=True, allow_none=True, strict=True)
    reason = fields.String(required=True, allow_none=True)
    placed_at = Instant(required=True)
    ringing_at = Instant(required=True, allow_none=True)
    answered_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)
    wait_seconds = fields.Decimal(required=True, allow_none=True, as_string=True)
    talk_seconds = fields.Decimal(required=True, allow_none=True, as_string=True)
    returned_by = fields.UUID(required=True, allow_none=True)
    comment = fields.Nested(CommentSchema, required=True, allow_none=True)
    price = fields.Nested(PriceSchema, required=True)
    recording = fields.Nested(RecordingSchema, required=True)


ByStatusSchema = Schema.from_dict(
    {status.value: fields.Integer(required=True) for status in Status}, name="ByStatusSchema"
)


class SummarySchema(Schema):
    """How many calls of each kind.

    `missed` counts those nobody has returned, in status missed or missed_offline; `returned` stand apart. Internal
    calls are neither inbound nor outbound. `answered` counts that status alone: a talk that broke off is not in it,
    but in `talk_seconds`, which is the sum of all talks that have ended.
    """

    total = fields.Integer(required=True)
    inbound = fields.Integer(required=True)
    outbound = fields.Integer(required=True)
    internal = fields.Integer(required=True)
    missed = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    talk_seconds = fields.Decimal(required=True, as_string=True)
    by_status = fields.Nested(ByStatusSchema, required=True)


class JournalSchema(Schema):
    """A page of the journal."""

    entries = fields.List(fields.Nested(EntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    previous_cursor = fields.String(required=True, allow_none=True)
    freshness = fields.Dict(fields.String(), fields.Float(allow_none=True), required=True)
    degraded = fields.List(fields.String(), required=True)
