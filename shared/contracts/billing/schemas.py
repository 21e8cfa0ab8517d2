"""The wire shapes of billing's events and states. To change one: raise its version, add an upcast, add a sample."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load

from shared.contracts.billing.events import (
    CallPriced,
    CallRerated,
    Charge,
    ChargeLine,
    ChargeState,
    Failure,
    LegKind,
    Price,
    RatingFailed,
    Rounding,
    RoundingMode,
    Tariff,
    TariffActivated,
    TariffDiscarded,
    TariffDrafted,
    TariffState,
    TariffUsed,
    Why,
)
from shared.contracts.values import Direction
from shared.contracts.wire import PERSONAL, EventSchema, Instant, Json, wire


class _Part(Schema):
    class Meta:
        unknown = EXCLUDE


class RoundingPartSchema(_Part):
    mode = fields.Enum(RoundingMode, by_value=True, required=True)
    digits = fields.Integer(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Rounding:
        return Rounding(**data)


class TariffUsedSchema(_Part):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)
    rounding = fields.Nested(RoundingPartSchema, required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> TariffUsed:
        return TariffUsed(**data)


class ChargeLineSchema(_Part):
    leg = fields.Enum(LegKind, by_value=True, required=True)
    number = fields.String(required=True, metadata=PERSONAL)
    direction = fields.Enum(Direction, by_value=True, required=True)
    prefix = fields.String(required=True)
    line = fields.String(required=True)
    talk_seconds = fields.Integer(required=True)
    free_seconds = fields.Integer(required=True)
    minimum_seconds = fields.Integer(required=True)
    increment_seconds = fields.Integer(required=True)
    billed_seconds = fields.Integer(required=True)
    per_minute = fields.Decimal(required=True, as_string=True)
    connection_fee = fields.Decimal(required=True, as_string=True)
    minimal_charge = fields.Decimal(required=True, as_string=True)
    amount = fields.Decimal(required=True, as_string=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ChargeLine:
        return ChargeLine(**data)


class PriceSchema(_Part):
    amount = fields.Decimal(required=True, as_string=True)
    currency = fields.String(required=True)
    tariff = fields.Nested(TariffUsedSchema, required=True, allow_none=True)
    lines = fields.List(fields.Nested(ChargeLineSchema), required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Price:
        return Price(**{**data, "lines": tuple(data["lines"])})


class TariffEventSchema(EventSchema):
    tariff_id = fields.UUID(required=True)
    by = fields.UUID(required=True, allow_none=True)
    at = Instant(required=True)


@wire(TariffDrafted, "tariff_drafted")
class TariffDraftedSchema(TariffEventSchema):
    name = fields.String(required=True)
    currency = fields.String(required=True)
    rounding = fields.Nested(RoundingPartSchema, required=True)
    rates = fields.String(required=True)
    count = fields.Integer(required=True)


@wire(TariffActivated, "tariff_activated")
class TariffActivatedSchema(TariffEventSchema):
    valid_from = Instant(required=True)


@wire(TariffDiscarded, "tariff_discarded")
class TariffDiscardedSchema(TariffEventSchema):
    pass


class ChargeEventSchema(EventSchema):
    call_id = fields.UUID(required=True)
    call_version = fields.Integer(required=True)
    due_at = Instant(required=True)
    at = Instant(required=True)


def _without_why(data: Json) -> Json:
    """Version 1 has no `why` and `by`."""
    return {**data, "why": None, "by": None}


class ExplainedSchema(ChargeEventSchema):
    why = fields.Enum(Why, by_value=True, required=True, allow_none=True)
    by = fields.UUID(required=True, allow_none=True)


@wire(CallPriced, "call_priced", version=2, upcasts={1: _without_why})
class CallPricedSchema(ExplainedSchema):
    price = fields.Nested(PriceSchema, required=True)


@wire(CallRerated, "call_rerated")
class CallReratedSchema(ChargeEventSchema):
    before = fields.Nested(PriceSchema, required=True)
    price = fields.Nested(PriceSchema, required=True)
    difference = fields.Decimal(required=True, as_string=True, allow_none=True)
    why = fields.Enum(Why, by_value=True, required=True)
    by = fields.UUID(required=True, allow_none=True)


@wire(RatingFailed, "rating_failed", version=2, upcasts={1: _without_why})
class RatingFailedSchema(ExplainedSchema):
    reason = fields.Enum(Failure, by_value=True, required=True)
    number = fields.String(required=True, allow_none=True, metadata=PERSONAL)


class ChargeSchema(_Part):
    """The state that billing publishes of `charge-<call_id>`."""

    call_id = fields.UUID(required=True)
    state = fields.Enum(ChargeState, by_value=True, required=True)
    price = fields.Nested(PriceSchema, required=True, allow_none=True)
    due_at = Instant(required=True)
    priced_at = Instant(required=True, allow_none=True)
    reason = fields.Enum(Failure, by_value=True, required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True, metadata=PERSONAL)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Charge:
        return Charge(**data)


class TariffSchema(_Part):
    """The state that billing publishes of `tariff-<id>`."""

    tariff_id = fields.UUID(required=True)
    name = fields.String(required=True)
    currency = fields.String(required=True)
    rounding = fields.Nested(RoundingPartSchema, required=True)
    rates = fields.String(required=True)
    count = fields.Integer(required=True)
    version = fields.Integer(required=True)
    state = fields.Enum(TariffState, by_value=True, required=True)
    valid_from = Instant(required=True, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Tariff:
        return Tariff(**data)
