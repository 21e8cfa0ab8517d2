"""The streams of calls, as tools read, verify and resend them."""

from services.calls import handlers, projections
from services.calls.domain import call
from shared.owned_streams import OwnedStreams, StreamKind

OWNED_STREAMS = OwnedStreams(
    kinds=(
        StreamKind(
            name="call",
            table="calls",
            key="call_id",
            domain=call,
            published_state=handlers.published_state,
            row=projections.row,
        ),
    ),
    resend=handlers.resend,
)
