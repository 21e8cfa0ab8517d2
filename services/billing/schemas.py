"""What billing is asked over RPC and what it answers; and many rates checked at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from services.billing.cost_report import By
from services.billing.domain.call import EndedCall
from services.billing.domain.rate_book import overlaps
from shared.contracts.billing.events import Rate
from shared.contracts.billing.rates import MOST_RATES, RateSchema, RoundingSchema, is_prefix, known_currency
from shared.contracts.calls.schemas import ForwardSchema
from shared.contracts.errors import Invalid
from shared.contracts.values import Direction
from shared.contracts.wire import Instant, Length
from shared.plumbing.cooperative import cooperatively

MOST_ERRORS, MOST_ALIKE = 100, 10_000
MOST, MOST_SUMS = 201, 1001
"""To a page, and the one more that tells whether another follows."""
SLICE_BYTES = 192 * 1024
RATE = RateSchema()
COLUMNS = tuple(RATE.fields)
REQUIRED = tuple(name for name, field in RATE.fields.items() if field.required)
NAME = validate.Length(1, 100)


def checked(rows: Iterable[tuple[int, Any]], place: str) -> list[Rate]:
    """Numbered rows as rates. Raises Invalid, by `place` and number, and then nothing is taken."""
    rates, numbers, errors, alike = list[Rate](), list[int](), dict[str, Any](), dict[str, Rate]()
    for number, row in cooperatively(rows):
        try:
            rates.append(loaded(row, alike))
            numbers.append(number)
        except ValidationError as error:
            errors[f"{place} {number}"] = error.normalized_messages()  # type: ignore[no-untyped-call]
        _not_too_many(rates, errors, f"{place} {number}")
    for overlap in overlaps(rates):
        same = f"Has the direction, prefix and line of {place} {numbers[overlap.first]}."
        errors[f"{place} {numbers[overlap.second]}"] = {"prefix": [same]}
    if errors:
        raise Invalid("The rates are malformed.", dict(list(errors.items())[:MOST_ERRORS]))
    return rates


def loaded(row: Any, alike: dict[str, Rate]) -> Rate:
    """The row as a rate. Of a large tariff most rates differ in their prefix only: the rest is checked once."""
    if not isinstance(row, dict) or not isinstance(prefix := row.get("prefix"), str) or not is_prefix(prefix):
        rate: Rate = RATE.load(row)
        return rate
    # As text, for to Python True is 1.
    rest = repr([pair for pair in row.items() if pair[0] != "prefix"])
    if rest not in alike:
        if len(alike) == MOST_ALIKE:
            alike.clear()
        alike[rest] = RATE.load(row)
    return replace(alike[rest], prefix=prefix)


def _not_too_many(rates: list[Rate], errors: Mapping[str, Any], where: str) -> None:
    if len(errors) >= MOST_ERRORS:
        raise Invalid("The rates are malformed.", dict(errors))
    if len(rates) > MOST_RATES:
        raise Invalid("The rates are too many.", {where: {"rates": [f"{MOST_RATES} at most."]}})


class EndedCallSchema(Schema):
    """What of a call's state its price follows from, as calls publishes it."""

    direction = fields.Enum(Direction, by_value=True, required=True)
    caller = fields.String(required=True)
    callee = fields.String(required=True)
    line = fields.String(required=True, allow_none=True)
    placed_at = Instant(required=True)
    answered_at = Instant(required=True, allow_none=True)
    ended_at = Instant(required=True)
    talk_time = Length(required=True, allow_none=True)
    forwarded = fields.List(fields.Nested(ForwardSchema), required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> EndedCall:
        return EndedCall(**{**data, "forwarded": tuple(data["forwarded"])})


class CommandSchema(Schema):
    command_id = fields.UUID(required=True)
    tenant = fields.String(required=True)


class UploadedSchema(Schema):
    """Slices that `billing.upload` was given: how many, and what they are together."""

    id = fields.UUID(required=True)
    slices = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    format = fields.String(required=True, validate=validate.OneOf(["csv", "json"]))


class DraftSchema(CommandSchema):
    """`rates` are few enough for one message; more are uploaded first. With neither the draft has none."""

    tariff_id = fields.UUID(required=True)
    name = fields.String(required=True, validate=NAME)
    currency = fields.String(required=True, validate=known_currency)
    rounding = fields.Nested(RoundingSchema, load_default=lambda: RoundingSchema().load({}))
    rates = fields.List(fields.Raw(), load_default=list, validate=validate.Length(max=1000))
    upload = fields.Nested(UploadedSchema, load_default=None, allow_none=True)
    by = fields.UUID(load_default=None, allow_none=True)


class UploadSchema(Schema):
    """One slice, in Base64; the same number again is ignored."""

    upload_id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    number = fields.Integer(required=True, strict=True, validate=validate.Range(0, 999))
    content = fields.String(required=True, validate=validate.Length(1, SLICE_BYTES * 4 // 3 + 4))


class ActivateSchema(CommandSchema):
    tariff_id = fields.UUID(required=True)
    valid_from = Instant(required=True)
    by = fields.UUID(load_default=None, allow_none=True)


class DiscardSchema(CommandSchema):
    tariff_id = fields.UUID(required=True)
    by = fields.UUID(load_default=None, allow_none=True)


class RerateSchema(CommandSchema):
    """The calls placed in a half-open span; with `tariff_id` as if that one had ruled, in a dry run only."""

    placed_from = Instant(required=True)
    placed_to = Instant(required=True)
    tariff_id = fields.UUID(load_default=None, allow_none=True)
    dry_run = fields.Boolean(required=True, truthy={True}, falsy={False})
    by = fields.UUID(load_default=None, allow_none=True)


class RetrySchema(CommandSchema):
    call_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 1000))


class ResendSchema(CommandSchema):
    """`call_ids`, or every call of the tenant after `after`, in the order of ids, `limit` of them."""

    call_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=1000))
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=1000, validate=validate.Range(1, 1000))


class CallQuerySchema(Schema):
    tenant = fields.String(required=True)
    call_id = fields.UUID(required=True)


class TariffQuerySchema(Schema):
    tenant = fields.String(required=True)
    tariff_id = fields.UUID(required=True)


class ReratingQuerySchema(Schema):
    tenant = fields.String(required=True)
    rerating_id = fields.UUID(required=True)


class RatesQuerySchema(TariffQuerySchema):
    """Which thousand of the tariff's rates, from 0 on."""

    slice = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, MOST_RATES // 1000))


class ListQuerySchema(Schema):
    """A page after the row that `after_at` and `after_id` name."""

    tenant = fields.String(required=True)
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MOST))
    after_at = Instant(load_default=None, allow_none=True)
    after_id = fields.UUID(load_default=None, allow_none=True)


class SumsPageSchema(Schema):
    """A page of sums after the one of that amount, which is about that, in that currency."""

    tenant = fields.String(required=True)
    limit = fields.Integer(load_default=MOST_SUMS, strict=True, validate=validate.Range(1, MOST_SUMS))
    after_amount = fields.Decimal(load_default=None, allow_none=True)
    after_about = fields.String(load_default="")
    after_currency = fields.String(load_default="")


class ReratingSumsQuerySchema(SumsPageSchema):
    rerating_id = fields.UUID(required=True)


class SumsQuerySchema(SumsPageSchema):
    """The calls placed in a half-open span; days are those of `zone`."""

    placed_from = Instant(required=True)
    placed_to = Instant(required=True)
    by = fields.Enum(By, by_value=True, required=True)
    zone = fields.String(required=True)


class TimelineEventSchema(Schema):
    owner = fields.Constant("billing")
    type = fields.String()
    at = Instant()
    recorded_at = Instant()
    data = fields.Dict()
    by = fields.String(allow_none=True)
