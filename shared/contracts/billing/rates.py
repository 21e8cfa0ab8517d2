"""Load and dump rates: as JSON, or as the columns of a CSV line."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from shared.contracts.billing.events import Rate, Rounding, RoundingMode
from shared.contracts.currencies import CURRENCIES
from shared.contracts.validation import coded
from shared.contracts.values import Direction

PREFIX = re.compile(r"\+?[0-9]*", re.ASCII)
MAX_AMOUNT, MAX_DECIMALS = Decimal(1_000_000), 6
MAX_SECONDS = 86_400
"""For increments, minimums and free seconds: a day."""
DECIMAL = re.compile(r"[+-]?[0-9]+([.][0-9]+)?|[+-]?[.][0-9]+", re.ASCII)
MAX_RATES_PER_TARIFF = 200_000
INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
ZERO = Decimal(0)
RATED_DIRECTIONS = (Direction.INBOUND.value, Direction.OUTBOUND.value)


def _money(amount: Decimal) -> None:
    if amount.is_signed() or amount >= MAX_AMOUNT:
        raise coded("amount_out_of_range", below=int(MAX_AMOUNT))
    if -int(amount.as_tuple().exponent) > MAX_DECIMALS:
        raise coded("too_many_decimals", max=MAX_DECIMALS)


def is_prefix(prefix: str) -> bool:
    return len(prefix) <= 32 and PREFIX.fullmatch(prefix) is not None


def _prefix(prefix: str) -> None:
    if not is_prefix(prefix):
        raise coded("prefix_invalid", max=32)


def _line(line: str) -> None:
    if len(line) > 64 or not line.isprintable():
        raise coded("line_invalid", max=64)


def known_currency(code: str) -> None:
    """Raises ValidationError for a code that is not in ISO 4217."""
    if code not in CURRENCIES:
        raise coded("unknown_currency")


class Money(fields.Decimal):
    """A decimal in a string. A JSON number is refused: it may have lost digits already."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(as_string=True, validate=_money, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str):
            raise coded("amount_not_text")
        if not DECIMAL.fullmatch(value.strip()):
            raise self.make_error("invalid")
        return super()._deserialize(value.strip(), *args, **kwargs)


class Seconds(fields.Integer):
    """Whole seconds, as a number or as the text of a CSV."""

    def __init__(self, minimum: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(minimum, MAX_SECONDS), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and not INTEGER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        if isinstance(value, bool | float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **kwargs)


class RateSchema(Schema):
    direction = fields.String(required=True, validate=validate.OneOf(RATED_DIRECTIONS))
    prefix = fields.String(required=True, validate=_prefix)
    line = fields.String(load_default="", validate=_line)
    per_minute = Money(required=True)
    connection_fee = Money(load_default=ZERO)
    minimum_seconds = Seconds(0, load_default=1)
    increment_seconds = Seconds(1, load_default=1)
    free_seconds = Seconds(0, load_default=0)
    minimal_charge = Money(load_default=ZERO)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Rate:
        return Rate(**{**data, "direction": Direction(data["direction"])})


REQUIRED_COLUMNS = [name for name, field in RateSchema().fields.items() if field.required]


class RoundingSchema(Schema):
    mode = fields.Enum(RoundingMode, by_value=True, load_default=RoundingMode.HALF_UP)
    digits = fields.Integer(load_default=4, strict=True, validate=validate.Range(0, MAX_DECIMALS))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Rounding:
        return Rounding(**data)
