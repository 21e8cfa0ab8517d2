"""Load the rates of a tariff, and the fields of a call's state that its price depends on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from services.billing.domain.call import EndedCall
from services.billing.domain.rate_book import overlaps
from shared.contracts.billing.events import Rate
from shared.contracts.billing.rates import MOST_RATES, RateSchema, is_prefix
from shared.contracts.calls.schemas import ForwardSchema
from shared.contracts.errors import Invalid
from shared.contracts.values import Direction
from shared.contracts.wire import Instant, Length
from shared.plumbing.cooperative import cooperatively

MOST_ERRORS, MOST_ALIKE = 100, 10_000
RATE = RateSchema()
COLUMNS = tuple(RATE.fields)
REQUIRED = tuple(name for name, field in RATE.fields.items() if field.required)


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
