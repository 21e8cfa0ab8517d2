"""Load the rates of a tariff, and the fields of a call's state that its price depends on."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from services.billing.domain.call import EndedCall
from services.billing.domain.rate_book import overlaps
from shared.contracts.billing.events import Rate
from shared.contracts.billing.rates import MAX_RATES_PER_TARIFF, RateSchema, is_prefix
from shared.contracts.calls.schemas import ForwardSchema
from shared.contracts.errors import FieldErrors, Invalid, field_error
from shared.contracts.validation import field_errors
from shared.contracts.values import Direction
from shared.contracts.wire import Instant, Length
from shared.plumbing.cooperative import cooperatively

MAX_INVALID_RATES, MAX_CACHED_RATES = 100, 10_000
RATE = RateSchema()
COLUMNS = tuple(RATE.fields)


def checked(rows: Iterable[tuple[int, Any]], place: str) -> list[Rate]:
    """Load numbered rows as rates. Raises Invalid with the errors by `place`, number and field."""
    rates, numbers, errors, cache = list[Rate](), list[int](), FieldErrors(), dict[str, Rate]()
    invalid, code = 0, "invalid" if place else "file_has_errors"
    for number, row in cooperatively(rows):
        try:
            rates.append(loaded(row, cache))
            numbers.append(number)
        except ValidationError as error:
            errors |= field_errors(error.normalized_messages(), f"{place}{number}")  # type: ignore[no-untyped-call]
            invalid += 1
        _not_too_many(rates, errors, invalid, f"{place}{number}", code)
    for overlap in islice(overlaps(rates), MAX_INVALID_RATES - invalid):
        first, second = numbers[overlap.first], numbers[overlap.second]
        errors[f"{place}{second}.prefix"] = [field_error("duplicate_rate", of=f"{place}{first}")]
    if errors:
        raise Invalid(code, errors=errors)
    return rates


def loaded(row: Any, cache: dict[str, Rate]) -> Rate:
    """Load a row as a rate. Most rates of a large tariff differ only in the prefix: `cache` holds the rest."""
    if not isinstance(row, dict) or not isinstance(prefix := row.get("prefix"), str) or not is_prefix(prefix):
        rate: Rate = RATE.load(row)
        return rate
    # As text, because True == 1.
    rest = repr([pair for pair in row.items() if pair[0] != "prefix"])
    if rest not in cache:
        if len(cache) == MAX_CACHED_RATES:
            cache.clear()
        cache[rest] = RATE.load(row)
    return replace(cache[rest], prefix=prefix)


def _not_too_many(rates: list[Rate], errors: FieldErrors, invalid: int, where: str, code: str) -> None:
    if invalid >= MAX_INVALID_RATES:
        raise Invalid(code, errors=errors)
    if len(rates) > MAX_RATES_PER_TARIFF:
        raise Invalid(code, errors={where: [field_error("too_many_rates", max=MAX_RATES_PER_TARIFF)]})


class EndedCallSchema(Schema):
    """The fields of a call's published state that its price depends on."""

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
