"""What clients send to any door, and what doors answer that are of no subject with schemas of its own."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields

from shared.contracts.errors import Invalid
from shared.contracts.validation import invalid
from shared.contracts.values import Role
from shared.contracts.wire import Instant, Json
from shared.contracts.wire import text as text

DAY = re.compile(r"\d{4}-\d\d-\d\d")
LAST_DAY = date(9999, 12, 30)
PAGE, LARGEST_PAGE = 50, 200


def load(schema: Schema, sent: Any) -> Any:
    """What was sent, or `Invalid` naming every field that is wrong. Unknown fields are wrong."""
    try:
        return schema.load(sent)
    except ValidationError as error:
        raise invalid(error) from error


def load_query(schema: Schema, sent: Iterable[tuple[str, list[str]]]) -> Any:
    """What was asked, from names with all their values. Only a list may be given more than once."""
    known = {field.data_key or name: field for name, field in schema.load_fields.items()}
    asked: Json = {}
    for name, values in sent:
        is_list = isinstance(known.get(name), fields.List)
        if len(values) > 1 and not is_list:
            raise Invalid("repeated_parameter", field=name)
        asked[name] = values if is_list else values[0]
    return load(schema, asked)


class Moment(Instant):
    """An RFC 3339 instant, or a day."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            return super()._deserialize(value, attr, data, **kwargs)
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise self.make_error("invalid") from error
        if day < self.EARLIEST.date():
            raise self.make_error("early")
        return min(day, LAST_DAY)


def says(description: str) -> Json:
    """What the documentation says of a field."""
    return {"description": description}


class AcceptedSchema(Schema):
    """What is said of reports that are safe: how many, and the id of each call by its exchange's key."""

    accepted = fields.Integer(required=True)
    calls = fields.Dict(fields.String(), fields.UUID(), required=True)


class SignInSchema(Schema):
    tenant = fields.String(load_default=None, validate=text(128))
    login = fields.String(required=True, validate=text(128))
    password = fields.String(required=True, validate=text(1024))


class AccountSchema(Schema):
    id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.Enum(Role, by_value=True, required=True)


class SessionSchema(Schema):
    token = fields.String(required=True)
    expires_at = Instant(required=True)
    account = fields.Nested(AccountSchema, required=True)


class LineSchema(Schema):
    id = fields.UUID(required=True)
    address = fields.String(required=True)
    held_from = Instant(data_key="from", required=True, allow_none=True)
    held_until = Instant(data_key="until", required=True, allow_none=True)


class MeSchema(Schema):
    account = fields.Nested(AccountSchema, required=True)
    role = fields.Enum(Role, by_value=True, required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)
    tenant = fields.String(required=True)
    time_zone = fields.String(required=True)
