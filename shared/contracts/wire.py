"""How an event becomes JSON and back, through every version it ever had."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from marshmallow import EXCLUDE, Schema, fields, post_load, validate

from shared.contracts.event import Event, Recorded
from shared.contracts.validation import CodedMessage, coded

Json = dict[str, Any]
PERSONAL = {"personal": True}
"""Marks a field with personal data, so that it can be encrypted per person in one place."""
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
"""Also matches without an offset, to report what is missing. Digits beyond microseconds are dropped."""
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL cannot store NUL, and UTF-8 has no lone surrogates."""
Upcast = Callable[[Json], Json]


def storable(text: str) -> None:
    if UNSTORABLE.search(text):
        raise coded("unstorable_character")


def text(longest: int, shortest: int = 1) -> validate.Validator:
    """Validators of a text: the number of code points, all of which can be stored."""
    return validate.And(validate.Length(min=shortest, max=longest), storable)


class Instant(fields.Field[datetime]):
    """An RFC 3339 instant with an offset in, UTC with microseconds and `Z` out."""

    default_error_messages = {  # noqa: RUF012
        "invalid": CodedMessage("not_instant"),
        "naive": CodedMessage("instant_without_offset"),
        "early": CodedMessage("instant_too_early"),
    }
    EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

    def _serialize(self, value: datetime | str | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        # A state or a result that was stored as JSON has its times as text already.
        return instant(value) if isinstance(value, datetime) else value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        # fromisoformat also reads week dates and offsets without a colon; RFC 3339, §5.6, has only this form.
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            raise self.make_error("invalid")
        try:
            parsed = datetime.fromisoformat(value.upper())
            if parsed.tzinfo is None:
                raise self.make_error("naive")
            parsed = parsed.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error
        if parsed < self.EARLIEST:
            raise self.make_error("early")
        return parsed


def instant(at: datetime) -> str:
    """`2026-11-22T08:15:00.000000Z`"""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def seconds(length: timedelta) -> str:
    """A length of time as exact decimal seconds, milliseconds at least: `6.000`, `6.123456`."""
    exact = Decimal(length // timedelta(microseconds=1)).scaleb(-6)
    return str(exact.quantize(Decimal("0.001")) if exact == exact.quantize(Decimal("0.001")) else exact)


class Length(fields.Field[timedelta]):
    """A length of time as exact decimal seconds in a string."""

    default_error_messages = {"invalid": CodedMessage("not_seconds")}  # noqa: RUF012

    def _serialize(self, value: timedelta | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else seconds(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> timedelta:
        try:
            return timedelta(microseconds=int(Decimal(value).scaleb(6)))
        except (ArithmeticError, TypeError, ValueError) as error:
            raise self.make_error("invalid") from error


class EventSchema(Schema):
    """The wire shape of one event. Unknown fields are ignored: readers are tolerant."""

    makes: ClassVar[type[Event]]

    class Meta:
        unknown = EXCLUDE

    @post_load
    def make(self, data: Json, **_: Any) -> Event:
        return self.makes(**data)


class EventRegistration(NamedTuple):
    type: str
    version: int
    schema: EventSchema
    upcasts: Mapping[int, Upcast]


EVENT_REGISTRATIONS: dict[str, EventRegistration] = {}
_TYPE_OF: dict[type[Event], str] = {}


def wire(
    event: type[Event], type_: str, *, version: int = 1, upcasts: Mapping[int, Upcast] | None = None
) -> Callable[[type[EventSchema]], type[EventSchema]]:
    """Register a schema as the wire shape of `event`; refuse one that does not fit it."""

    def register(schema: type[EventSchema]) -> type[EventSchema]:
        schema.makes = event
        shape = schema()
        differ = set(shape.fields) ^ {field.name for field in dataclass_fields(event)}
        if differ:
            raise TypeError(f"{type_}: schema and event differ in {sorted(differ)}")
        missing = set(range(1, version)) - set(upcasts or {})
        if missing:
            raise TypeError(f"{type_}: no upcast from version {sorted(missing)}")
        EVENT_REGISTRATIONS[type_] = EventRegistration(type_, version, shape, upcasts or {})
        _TYPE_OF[event] = type_
        return schema

    return register


def encode(event: Event) -> tuple[str, int, Json]:
    """The event's wire type, schema version and data."""
    shape = EVENT_REGISTRATIONS[_TYPE_OF[type(event)]]
    return shape.type, shape.version, shape.schema.dump(event)


def decode(type_: str, version: int, data: Json) -> Event:
    """The event, upcast from the schema version it was written in."""
    shape = EVENT_REGISTRATIONS[type_]
    for written in range(version, shape.version):
        data = shape.upcasts[written](data)
    event: Event = shape.schema.load(data)
    return event


def message(recorded: Recorded, encoded: tuple[str, int, Json], state: Json) -> Json:
    """The published form of an event: the fact as `encode` gives it, and the state of its stream after it."""
    type_, schema_version, data = encoded
    return {
        "id": str(recorded.id),
        "tenant": recorded.tenant,
        "stream": recorded.stream,
        "version": recorded.version,
        "type": type_,
        "schema_version": schema_version,
        "recorded_at": instant(recorded.recorded_at),
        "correlation_id": recorded.correlation_id,
        "data": data,
        "state": state,
    }


class EnvelopeSchema(Schema):
    """What a published message looks like; `data` and `state` have schemas of their own."""

    class Meta:
        unknown = EXCLUDE

    id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    stream = fields.String(required=True)
    version = fields.Integer(required=True, strict=True)
    type = fields.String(required=True)
    schema_version = fields.Integer(required=True, strict=True)
    recorded_at = Instant(required=True)
    correlation_id = fields.String(required=True)
    data = fields.Dict(required=True)
    state = fields.Dict(required=True)
