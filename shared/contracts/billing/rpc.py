"""The RPC methods of billing. Amounts of money are decimals in strings."""

from enum import StrEnum

from marshmallow import Schema, fields, validate

from shared.contracts.billing.rates import MAX_RATES_PER_TARIFF, RoundingSchema, known_currency
from shared.contracts.rpc import (
    CallQuerySchema,
    CommandSchema,
    QuerySchema,
    ResponseSchema,
    RpcMethod,
    StrictSchema,
    resend_method,
    timeline_method,
)
from shared.contracts.wire import PERSONAL, Instant

MAX_LIST_ROWS, MAX_SUM_ROWS = 201, 1001
"""A page of the HTTP API and one row more, which shows that another page follows."""
UPLOAD_PART_BYTES = 192 * 1024
RATES_PER_SLICE = 1000
MAX_RATES_IN_REQUEST = 1000
MAX_RETRIED_CALLS = 1000


class ReportGrouping(StrEnum):
    DAY = "day"
    PREFIX = "prefix"


# ── tariffs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class UploadPartSchema(StrictSchema):
    """One part of an upload, in Base64. A part with the `upload_id` and `number` of an earlier one is ignored."""

    upload_id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    number = fields.Integer(required=True, strict=True, validate=validate.Range(0, 999))
    content = fields.String(required=True, validate=validate.Length(1, UPLOAD_PART_BYTES * 4 // 3 + 4))


class UploadSchema(StrictSchema):
    """A complete upload: how many parts it has, and the format of the whole."""

    id = fields.UUID(required=True)
    slices = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    format = fields.String(required=True, validate=validate.OneOf(["csv", "json"]))


class TariffCommandSchema(CommandSchema):
    tariff_id = fields.UUID(required=True)
    by = fields.UUID(load_default=None, allow_none=True)


class DraftTariffSchema(TariffCommandSchema):
    """`rates` are few enough for one message; more are uploaded first. Without both the draft has no rates."""

    name = fields.String(required=True, validate=validate.Length(1, 100))
    currency = fields.String(required=True, validate=known_currency)
    rounding = fields.Nested(RoundingSchema, load_default=lambda: RoundingSchema().load({}))
    rates = fields.List(fields.Raw(), load_default=list, validate=validate.Length(max=MAX_RATES_IN_REQUEST))
    upload = fields.Nested(UploadSchema, load_default=None, allow_none=True)


class ActivateTariffSchema(TariffCommandSchema):
    valid_from = Instant(required=True)


class TariffQuerySchema(QuerySchema):
    tariff_id = fields.UUID(required=True)


class RatesQuerySchema(TariffQuerySchema):
    """`slice` is the number of a slice of RATES_PER_SLICE rates, from 0 on."""

    slice = fields.Integer(
        load_default=0, strict=True, validate=validate.Range(0, MAX_RATES_PER_TARIFF // RATES_PER_SLICE)
    )


class ListQuerySchema(QuerySchema):
    """A page that begins after the row of `after_at` and `after_id`."""

    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, MAX_LIST_ROWS))
    after_at = Instant(load_default=None, allow_none=True)
    after_id = fields.UUID(load_default=None, allow_none=True)


class TariffRoundingSchema(ResponseSchema):
    mode = fields.String(required=True)
    digits = fields.Integer(required=True)


class TariffSchema(ResponseSchema):
    """A tariff without its rates. It is in force from `valid_from` until `valid_to`; `count` is the number of rates."""

    tariff_id = fields.UUID(required=True)
    name = fields.String(required=True)
    currency = fields.String(required=True)
    rounding = fields.Nested(TariffRoundingSchema, required=True)
    count = fields.Integer(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)
    drafted_at = Instant(required=True)
    valid_from = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True, allow_none=True)


class TariffsSchema(ResponseSchema):
    """The most recent draft first."""

    tariffs = fields.List(fields.Nested(TariffSchema), required=True)


class RatesSchema(ResponseSchema):
    """Rates as `RateSchema` dumps them. They are not loaded: a tariff has up to MAX_RATES_PER_TARIFF."""

    rates = fields.List(fields.Dict(), required=True)


# ── charges ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class UsedTariffSchema(ResponseSchema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)


class ExplainedLineSchema(ResponseSchema):
    """A line of a price as `ChargeLineSchema` dumps it, and a sentence that explains its amount."""

    leg = fields.String(required=True)
    number = fields.String(required=True, metadata=PERSONAL)
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


class PriceSchema(ResponseSchema):
    """`state` is not_due, pending, priced or failed."""

    state = fields.String(required=True)
    amount = fields.Decimal(required=True, allow_none=True, as_string=True)
    currency = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True, allow_none=True)
    priced_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    tariff = fields.Nested(UsedTariffSchema, required=True, allow_none=True)
    lines = fields.List(fields.Nested(ExplainedLineSchema), required=True)


class EarlierPriceSchema(PriceSchema):
    """A price and when, why and by whom it was replaced; `difference` is the next amount minus this one."""

    replaced_at = Instant(required=True)
    why = fields.String(required=True)
    by = fields.UUID(required=True, allow_none=True)
    difference = fields.Decimal(required=True, allow_none=True, as_string=True)


class CallPriceSchema(PriceSchema):
    """The price of a call, and its earlier prices, oldest first."""

    history = fields.List(fields.Nested(EarlierPriceSchema), required=True)


class FailedChargeSchema(ResponseSchema):
    """`number` is the number without a rate, if that is the reason."""

    call_id = fields.UUID(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True)
    number = fields.String(required=True, allow_none=True, metadata=PERSONAL)
    due_at = Instant(required=True)
    changed_at = Instant(required=True)


class FailedChargesSchema(ResponseSchema):
    """The most recent failure first."""

    charges = fields.List(fields.Nested(FailedChargeSchema), required=True)


class RetrySchema(CommandSchema):
    call_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MAX_RETRIED_CALLS))


class RetriedSchema(ResponseSchema):
    """How many of the calls had failed and are rated again."""

    retried = fields.Integer(required=True)


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class RerateSchema(CommandSchema):
    """Rate the calls placed from `placed_from` until before `placed_to`. A dry run may try the tariff `tariff_id`."""

    placed_from = Instant(required=True)
    placed_to = Instant(required=True)
    tariff_id = fields.UUID(load_default=None, allow_none=True)
    dry_run = fields.Boolean(required=True, truthy={True}, falsy={False})
    by = fields.UUID(load_default=None, allow_none=True)


class StartedReratingSchema(ResponseSchema):
    id = fields.UUID(required=True)


class ReratingQuerySchema(QuerySchema):
    rerating_id = fields.UUID(required=True)


class ReratedCallsSchema(ResponseSchema):
    """Numbers of calls: in the period, done, with another amount, without a price."""

    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    failed = fields.Integer(required=True)


class DifferenceSchema(ResponseSchema):
    currency = fields.String(required=True)
    before = fields.Decimal(required=True, as_string=True)
    after = fields.Decimal(required=True, as_string=True)
    difference = fields.Decimal(required=True, as_string=True)


class ReratingSchema(ResponseSchema):
    """The progress of a rerating, and the differences so far. `state` is running or done."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    placed_from = Instant(required=True, data_key="from", attribute="from")
    placed_to = Instant(required=True, data_key="to", attribute="to")
    tariff_id = fields.UUID(required=True, allow_none=True, data_key="tariff", attribute="tariff")
    dry_run = fields.Boolean(required=True)
    by = fields.UUID(required=True, allow_none=True)
    begun_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)
    calls = fields.Nested(ReratedCallsSchema, required=True)
    totals = fields.List(fields.Nested(DifferenceSchema), required=True)


class SumsPageSchema(QuerySchema):
    """A page of sums that begins after the sum of that amount, group and currency."""

    limit = fields.Integer(load_default=MAX_SUM_ROWS, strict=True, validate=validate.Range(1, MAX_SUM_ROWS))
    after_amount = fields.Decimal(load_default=None, allow_none=True, as_string=True)
    after_about = fields.String(load_default="")
    after_currency = fields.String(load_default="")


class ReratingSumsQuerySchema(SumsPageSchema):
    rerating_id = fields.UUID(required=True)


class PrefixDifferenceSchema(DifferenceSchema):
    prefix = fields.String(required=True)
    calls = fields.Integer(required=True)


class ReratingSumsSchema(ResponseSchema):
    """The largest difference first."""

    by_prefix = fields.List(fields.Nested(PrefixDifferenceSchema), required=True)


class ReportQuerySchema(SumsPageSchema):
    """The calls placed from `placed_from` until before `placed_to`; days are those of the time zone `zone`."""

    placed_from = Instant(required=True)
    placed_to = Instant(required=True)
    by = fields.Enum(ReportGrouping, by_value=True, required=True)
    zone = fields.String(required=True)


class SumSchema(ResponseSchema):
    """The number of calls with a price in the currency, and the sum of the prices."""

    currency = fields.String(required=True)
    calls = fields.Integer(required=True)
    amount = fields.Decimal(required=True, as_string=True)


class ReportRowSchema(SumSchema):
    """The sum of a `day`, or of a `prefix`."""

    day = fields.String()
    prefix = fields.String()


class ReportSchema(ResponseSchema):
    """Days in their order, or the most expensive prefix first; `totals` are of all calls."""

    rows = fields.List(fields.Nested(ReportRowSchema), required=True)
    totals = fields.List(fields.Nested(SumSchema), required=True)


def _method(name: str, request: Schema, response: Schema | None) -> RpcMethod:
    return RpcMethod(owner="billing", name=name, request=request, response=response)


upload = _method("upload", UploadPartSchema(), None)
draft_tariff = _method("draft_tariff", DraftTariffSchema(), TariffSchema())
activate_tariff = _method("activate_tariff", ActivateTariffSchema(), TariffSchema())
discard_tariff = _method("discard_tariff", TariffCommandSchema(), TariffSchema())
tariffs = _method("tariffs", ListQuerySchema(), TariffsSchema())
tariff = _method("tariff", TariffQuerySchema(), TariffSchema())
rates = _method("rates", RatesQuerySchema(), RatesSchema())
price = _method("price", CallQuerySchema(), CallPriceSchema())
failed = _method("failed", ListQuerySchema(), FailedChargesSchema())
retry = _method("retry", RetrySchema(), RetriedSchema())
rerate = _method("rerate", RerateSchema(), StartedReratingSchema())
rerating = _method("rerating", ReratingQuerySchema(), ReratingSchema())
rerating_sums = _method("rerating_sums", ReratingSumsQuerySchema(), ReratingSumsSchema())
report = _method("report", ReportQuerySchema(), ReportSchema())
timeline = timeline_method("billing")
resend = resend_method("billing")
