"""What clients send and are answered of prices and tariffs."""

from enum import StrEnum

from marshmallow import Schema, fields, validate

from services.gateway.http.schemas import LARGEST_PAGE, PAGE, Moment, says, text
from services.gateway.journal.schemas import PriceSchema
from shared.contracts.billing.events import Failure, LegKind, TariffState
from shared.contracts.billing.rates import RateSchema, RoundingSchema, known_currency
from shared.contracts.wire import Instant

MOST_RETRIED = MOST_SUMS = 1000


class TariffHeadSchema(Schema):
    """A draft but for its rates."""

    name = fields.String(required=True, validate=text(100))
    currency = fields.String(required=True, validate=known_currency)
    rounding = fields.Nested(RoundingSchema, load_default=dict)


class TariffBodySchema(TariffHeadSchema):
    """A draft. Its rates are checked by billing, which is asked to take them all or none."""

    rates = fields.List(fields.Nested(RateSchema), load_default=list)


class ImportQuerySchema(Schema):
    name = fields.String(required=True, validate=text(100), metadata=says("What the tariff is called."))
    currency = fields.String(required=True, validate=known_currency, metadata=says("In which its prices are."))


class ActivateBodySchema(Schema):
    valid_from = Instant(required=True, data_key="from")


class ListedTariffSchema(Schema):
    """A tariff in a list: `from` and `to` are the instants between which it rules."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    currency = fields.String(required=True)
    rounding = fields.Nested(RoundingSchema, required=True)
    state = fields.Enum(TariffState, by_value=True, required=True)
    version = fields.Integer(required=True)
    rate_count = fields.Integer(required=True)
    drafted_at = Instant(required=True)
    valid_from = Instant(required=True, allow_none=True, data_key="from")
    valid_to = Instant(required=True, allow_none=True, data_key="to")


class TariffSchema(ListedTariffSchema):
    rates = fields.List(fields.Nested(RateSchema), required=True)


class TariffsSchema(Schema):
    """The newest drafted first."""

    tariffs = fields.List(fields.Nested(ListedTariffSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PageQuerySchema(Schema):
    limit = fields.Integer(
        load_default=PAGE, validate=validate.Range(1, LARGEST_PAGE), metadata=says("How many to a page.")
    )
    cursor = fields.String(load_default=None, metadata=says("`next_cursor` of a page."))


class SumsPageQuerySchema(PageQuerySchema):
    """A report is read whole as a rule."""

    limit = fields.Integer(
        load_default=MOST_SUMS, validate=validate.Range(1, MOST_SUMS), metadata=says("How many rows to a page.")
    )


class ChargesQuerySchema(PageQuerySchema):
    state = fields.String(
        load_default="failed", validate=validate.OneOf(["failed"]), metadata=says("Those that could not be priced.")
    )


class FailedChargeSchema(Schema):
    """`number` is the one that has no rate, where that is the reason."""

    call_id = fields.UUID(required=True)
    state = fields.String(required=True)
    reason = fields.Enum(Failure, by_value=True, required=True)
    number = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True)
    failed_at = Instant(required=True)


class ChargesSchema(Schema):
    """The latest failure first."""

    charges = fields.List(fields.Nested(FailedChargeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RetryBodySchema(Schema):
    call_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST_RETRIED))


class RetriedSchema(Schema):
    """How many of the calls had failed and are rated once more."""

    retried = fields.Integer(required=True)


class UsedTariffSchema(Schema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)


class ChargeLineSchema(Schema):
    """One priced leg, and in `explanation` why it costs what it does."""

    leg = fields.Enum(LegKind, by_value=True, required=True)
    number = fields.String(required=True)
    direction = fields.String(required=True)
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
    explanation = fields.String(required=True)


class ShownPriceSchema(PriceSchema):
    priced_at = Instant(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True)
    tariff = fields.Nested(UsedTariffSchema, required=True, allow_none=True)
    lines = fields.List(fields.Nested(ChargeLineSchema), required=True)


class EarlierPriceSchema(ShownPriceSchema):
    """What the price was until `replaced_at`; `difference` is what the next one was more."""

    replaced_at = Instant(required=True)
    why = fields.String(required=True)
    by = fields.UUID(required=True, allow_none=True)
    difference = fields.Decimal(required=True, allow_none=True, as_string=True)


class CallPriceSchema(ShownPriceSchema):
    """The price of a call and those that it had before, oldest first."""

    history = fields.List(fields.Nested(EarlierPriceSchema), required=True)


class RerateBodySchema(Schema):
    """The calls placed in a half-open span; with `tariff` as if that one had ruled, in a dry run only."""

    placed_from = Instant(required=True, data_key="from")
    placed_to = Instant(required=True, data_key="to")
    tariff_id = fields.UUID(load_default=None, allow_none=True, data_key="tariff")
    dry_run = fields.Boolean(required=True, truthy={True}, falsy={False})


class BegunSchema(Schema):
    id = fields.UUID(required=True)


class ReratedCallsSchema(Schema):
    """How many calls there are, are done, got another amount, and have no price."""

    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    failed = fields.Integer(required=True)


class DifferenceSchema(Schema):
    currency = fields.String(required=True)
    before = fields.Decimal(required=True, as_string=True)
    after = fields.Decimal(required=True, as_string=True)
    difference = fields.Decimal(required=True, as_string=True)


class PrefixDifferenceSchema(DifferenceSchema):
    prefix = fields.String(required=True)
    calls = fields.Integer(required=True)


class ReratingSchema(Schema):
    """How far it is and what it changes, those prefixes first that differ most."""

    id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["running", "done"]))
    placed_from = Instant(required=True, data_key="from")
    placed_to = Instant(required=True, data_key="to")
    tariff_id = fields.UUID(required=True, allow_none=True, data_key="tariff")
    dry_run = fields.Boolean(required=True)
    by = fields.UUID(required=True, allow_none=True)
    begun_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)
    calls = fields.Nested(ReratedCallsSchema, required=True)
    totals = fields.List(fields.Nested(DifferenceSchema), required=True)
    by_prefix = fields.List(fields.Nested(PrefixDifferenceSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class By(StrEnum):
    DAY = "day"
    OPERATOR = "operator"
    PREFIX = "prefix"


class BillingReportQuerySchema(SumsPageQuerySchema):
    """The calls placed in a half-open span; days are the company's."""

    placed_from = Moment(required=True, data_key="from", metadata=says("Placed then or later."))
    placed_to = Moment(required=True, data_key="to", metadata=says("Placed earlier than that."))
    by = fields.Enum(By, by_value=True, required=True, metadata=says("What is added up apart."))


class CostSchema(Schema):
    """How many calls have a price in the currency, and what they cost together."""

    currency = fields.String(required=True)
    calls = fields.Integer(required=True)
    amount = fields.Decimal(required=True, as_string=True)


class BillingReportRowSchema(CostSchema):
    """Of a `day`; of an operator (`account_id` and `name`, null for calls that are nobody's); or of a `prefix`."""

    day = fields.Date()
    account_id = fields.UUID(allow_none=True)
    name = fields.String(allow_none=True)
    prefix = fields.String()


class BillingReportSchema(Schema):
    """Days in their order, operators and prefixes the dearest first; `totals` are of all calls."""

    by = fields.Enum(By, by_value=True, required=True)
    placed_from = Instant(required=True, data_key="from")
    placed_to = Instant(required=True, data_key="to")
    rows = fields.List(fields.Nested(BillingReportRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    totals = fields.List(fields.Nested(CostSchema), required=True)
