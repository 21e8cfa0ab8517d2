"""Error codes for marshmallow: its messages and those of our validators carry a code and params.

Importing this replaces the default messages of marshmallow's fields, schemas and validators, before any schema is made.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.contracts.error_codes import english, param_names
from shared.contracts.errors import FieldError, FieldErrors, Invalid, field_error

LIST_PARAMS = frozenset({"choices"})
"""Params that marshmallow gives as one text, with commas between them."""


class CodedMessage(str):
    """A message that marshmallow treats as its own; `format` fills in the params that the text of the code contains."""

    code: str
    params: dict[str, Any]

    def __new__(cls, code: str, params: Mapping[str, Any] | None = None) -> "CodedMessage":
        message = super().__new__(cls, english(code, params or {}))
        message.code, message.params = code, dict(params or {})
        return message

    def format(self, *_: Any, **values: Any) -> "CodedMessage":
        found = {name: _json(name, values[name]) for name in param_names(self.code) if name in values}
        return CodedMessage(self.code, self.params | found)


def coded(code: str, **params: Any) -> ValidationError:
    """The error for a validator to raise: `raise coded("too_many_decimals", max=6)`."""
    return ValidationError(CodedMessage(code, params))


def invalid(error: ValidationError, code: str | None = None) -> Invalid:
    """The same error as `Invalid`, by path."""
    return Invalid(code, errors=field_errors(error.normalized_messages()))  # type: ignore[no-untyped-call]


def field_errors(messages: Any, path: str = "") -> FieldErrors:
    """Errors by path, of marshmallow's messages: `{"lines": {0: {"address": ["…"]}}}` becomes `lines.0.address`."""
    if not isinstance(messages, Mapping):
        several = messages if isinstance(messages, list | tuple) else [messages]
        return {path: [_field_error(message) for message in several]}
    found: FieldErrors = {}
    for name, inner in messages.items():
        here = path if name == "_schema" else f"{path}.{name}" if path else str(name)
        for place, errors in field_errors(inner, here).items():
            found.setdefault(place, []).extend(errors)
    return found


def _field_error(message: Any) -> FieldError:
    if isinstance(message, CodedMessage):
        return field_error(message.code, **message.params)
    return {"code": "invalid_value", "params": {}, "message": str(message)}


def _json(name: str, value: Any) -> Any:
    if name in LIST_PARAMS and isinstance(value, str):
        return value.split(", ")
    return value if isinstance(value, bool | int | float | str | list) else str(value)


FIELD_MESSAGES: Mapping[type[fields.Field[Any]], Mapping[str, str]] = {
    fields.Field: {"required": "required", "null": "null", "validator_failed": "invalid_value"},
    fields.Nested: {"type": "not_object"},
    fields.List: {"invalid": "not_list"},
    fields.String: {"invalid": "not_text", "invalid_utf8": "not_text"},
    fields.UUID: {"invalid_uuid": "not_uuid"},
    fields.Number: {"invalid": "not_number", "too_large": "not_number"},
    fields.Integer: {"invalid": "not_integer"},
    fields.Decimal: {"special": "not_number"},
    fields.Boolean: {"invalid": "not_boolean"},
    fields.Mapping: {"invalid": "not_object"},
    fields.Enum: {"unknown": "not_a_choice"},
}
VALIDATOR_MESSAGES: Mapping[type[validate.Validator], Mapping[str, str]] = {
    validate.Length: {
        "message_min": "too_short",
        "message_max": "too_long",
        "message_all": "length_out_of_range",
        "message_equal": "wrong_length",
    },
    validate.Range: {"message_min": "too_small", "message_max": "too_large", "message_all": "out_of_range"},
    validate.OneOf: {"default_message": "not_a_choice"},
}
SCHEMA_MESSAGES = {"type": "not_object", "unknown": "unknown_field"}


def _install() -> None:
    for field, codes in FIELD_MESSAGES.items():
        field.default_error_messages |= {key: CodedMessage(code) for key, code in codes.items()}
    for validator, codes in VALIDATOR_MESSAGES.items():
        for attribute, code in codes.items():
            setattr(validator, attribute, CodedMessage(code))
    Schema.error_messages = {key: CodedMessage(code) for key, code in SCHEMA_MESSAGES.items()}


_install()
