"""What clients send and get of the directory: people and their lines, contacts, keys and settings."""

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from marshmallow import Schema, fields, post_load, validate

from services.gateway.domain.keys import KeyKind
from services.gateway.domain.naming import fold
from services.gateway.http.schemas import LARGEST_PAGE, PAGE, AccountSchema, LineSchema, says, text
from shared.contracts.currencies import CURRENCIES
from shared.contracts.validation import CodedMessage, coded
from shared.contracts.values import Role
from shared.contracts.wire import Instant, Json

LONGEST_NAME, LONGEST_NOTE, LONGEST_ADDRESS = 200, 1000, 128
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
MOST_LINES = 100
LONGEST_CURSOR = 2500
DAY = 24 * 60 * 60
A_MONTH_OF_HOURS = 31 * 24
A_CENTURY_OF_DAYS = 36_525
NOT_ON_A_LINE = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the text after them around."""
NO_PLACES = frozenset({"localtime", "Factory"})


class Trimmed(fields.String):
    """Text without the spaces around it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).strip()


def on_one_line(said: str) -> None:
    if NOT_ON_A_LINE.search(said):
        raise coded("forbidden_character")


def foldable(name: str) -> None:
    # A few letters are written out in full when they are compared: they must still fit into a cursor.
    if not 1 <= len(fold(name)) <= 2 * LONGEST_NAME:
        raise coded("name_not_searchable")


def callable_address(said: str) -> None:
    if not any(letter.isdecimal() for letter in said) and "@" not in said and not said.lower().startswith("sip"):
        raise coded("not_address")


def in_one_word(login: str) -> None:
    if re.search(r"\s", login):
        raise coded("has_spaces")


def _name() -> Trimmed:
    return Trimmed(required=True, validate=[text(LONGEST_NAME), on_one_line, foldable])


def _address() -> Trimmed:
    return Trimmed(required=True, validate=[text(LONGEST_ADDRESS), on_one_line, callable_address])


def _password(**how: Any) -> fields.String:
    return fields.String(validate=text(LONGEST_PASSWORD, SHORTEST_PASSWORD), **how)


class ListQuerySchema(Schema):
    """The parameters of every list but the journal."""

    limit = fields.Integer(
        load_default=PAGE, validate=validate.Range(1, LARGEST_PAGE), metadata=says("How many to a page.")
    )
    cursor = fields.String(
        load_default=None,
        validate=text(LONGEST_CURSOR),
        metadata=says("`next_cursor` of a page."),
    )


class SearchQuerySchema(ListQuerySchema):
    """`q`: a part of what is looked for, in any case."""

    q = fields.String(
        load_default=None,
        validate=[text(100), foldable],
        metadata=says("Part of a name, or of a contact's number or an account's login, in any case."),
    )


class NewLineSchema(Schema):
    """`from` left out: since ever."""

    address = _address()
    held_from = Instant(data_key="from", load_default=None, allow_none=True)


class LineEndSchema(Schema):
    """`until` null: still held."""

    held_until = Instant(data_key="until", required=True, allow_none=True)


class LinesSchema(Schema):
    lines = fields.List(fields.Nested(LineSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NewAccountSchema(Schema):
    login = fields.String(required=True, validate=[text(LONGEST_ADDRESS), on_one_line, in_one_word])
    password = _password(required=True)
    name = _name()
    role = fields.Enum(Role, by_value=True, required=True)
    lines = fields.List(fields.Nested(NewLineSchema), load_default=list, validate=validate.Length(max=MOST_LINES))


class AccountChangeSchema(Schema):
    """What is left out stays as it is."""

    name = Trimmed(validate=[text(LONGEST_NAME), on_one_line, foldable])
    role = fields.Enum(Role, by_value=True)
    password = _password()
    disabled = fields.Boolean(truthy={True}, falsy={False})


class StaffSchema(AccountSchema):
    """An account as its administrators see it."""

    disabled = fields.Boolean(required=True)
    created_at = Instant(required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)


class StaffListSchema(Schema):
    accounts = fields.List(fields.Nested(StaffSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NewPasswordSchema(Schema):
    current = fields.String(required=True, validate=text(LONGEST_PASSWORD))
    new = _password(required=True)


class NewContactSchema(Schema):
    name = _name()
    number = _address()
    note = Trimmed(load_default=None, allow_none=True, validate=text(LONGEST_NOTE, 0))

    @post_load
    def no_note(self, sent: Json, **_: Any) -> Json:
        return sent | {"note": sent["note"] or None}


class ContactSchema(Schema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    number = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class ContactsSchema(Schema):
    contacts = fields.List(fields.Nested(ContactSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ImportedSchema(Schema):
    """How many contacts of a file are new, have got another name or note, and were so already."""

    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)


class NewKeySchema(Schema):
    kind = fields.Enum(KeyKind, by_value=True, required=True)
    name = _name()


class ShownKeySchema(Schema):
    """The only time that the key itself is told."""

    id = fields.UUID(required=True)
    key = fields.String(required=True)


class KeySchema(Schema):
    id = fields.UUID(required=True)
    kind = fields.Enum(KeyKind, by_value=True, required=True)
    name = fields.String(required=True)
    created_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)


class KeysSchema(Schema):
    api_keys = fields.List(fields.Nested(KeySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@cache
def time_zones() -> frozenset[str]:
    return frozenset(available_timezones()) - NO_PLACES


def known_time_zone(name: str) -> None:
    if name not in time_zones():
        raise coded("unknown_time_zone")


class SettingsSchema(Schema):
    """What a company has set for itself. `retention_days` null: recordings are kept for ever."""

    time_zone = fields.String(validate=known_time_zone)
    region = fields.String(
        validate=validate.OneOf(sorted(phonenumbers.SUPPORTED_REGIONS), error=CodedMessage("unknown_region"))
    )
    price_delay_seconds = fields.Integer(strict=True, validate=validate.Range(0, DAY))
    returned_window_hours = fields.Integer(strict=True, validate=validate.Range(1, A_MONTH_OF_HOURS))
    retention_days = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, A_CENTURY_OF_DAYS))
    currency = fields.String(validate=validate.OneOf(sorted(CURRENCIES), error=CodedMessage("unknown_currency")))
