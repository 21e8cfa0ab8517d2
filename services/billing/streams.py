"""The streams of billing, as tools read, verify and resend them."""

from services.billing import handlers, policies, projections
from services.billing.domain import charge, tariff
from shared.owned_streams import OwnedStreams, StreamKind

OWNED_STREAMS = OwnedStreams(
    kinds=(
        StreamKind(
            name="charge",
            table="charges",
            key="call_id",
            domain=charge,
            published_state=policies.describe,
            row=projections.charge_row,
        ),
        StreamKind(
            name="tariff",
            table="tariffs",
            key="tariff_id",
            domain=tariff,
            published_state=handlers.describe,
            row=projections.tariff_row,
        ),
    ),
    resend=policies.resend,
)
