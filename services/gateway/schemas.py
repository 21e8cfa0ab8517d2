"""What clients send to the gateway and what it answers."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.contracts.errors import Invalid
from shared.contracts.values import Role
from shared.contracts.wire import Instant


def load(schema: Schema, sent: Any) -> Any:
    """What was sent, or `Invalid` naming every field that is wrong. Unknown fields are wrong."""
    try:
        return schema.load(sent)
    except ValidationError as error:
        raise Invalid("Not what is taken here.", error.normalized_messages()) from error  # type: ignore[no-untyped-call]


def storable(text: str) -> None:
    # PostgreSQL cannot keep NUL, and UTF-8 has no lone surrogates.
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValidationError("Has a character that cannot be stored.")


def text(longest: int, shortest: int = 1) -> validate.Validator:
    return validate.And(validate.Length(min=shortest, max=longest), storable)


class SignInSchema(Schema):
    tenant = fields.String(load_default=None, validate=text(128))
    login = fields.String(required=True, validate=text(128))
    password = fields.String(required=True, validate=text(1024))


class AccountSchema(Schema):
    id = fields.UUID()
    tenant = fields.String()
    login = fields.String()
    name = fields.String()
    role = fields.Enum(Role, by_value=True)


class SessionSchema(Schema):
    token = fields.String()
    expires_at = Instant()
    account = fields.Nested(AccountSchema)


class LineSchema(Schema):
    id = fields.UUID()
    address = fields.String()
    held_from = Instant(data_key="from", allow_none=True)
    held_until = Instant(data_key="until", allow_none=True)


class MeSchema(Schema):
    account = fields.Nested(AccountSchema)
    role = fields.Enum(Role, by_value=True)
    lines = fields.List(fields.Nested(LineSchema))
    tenant = fields.String()
    time_zone = fields.String()
