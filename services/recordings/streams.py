"""The streams of recordings, as tools read, verify and resend them."""

from services.recordings import handlers, projections
from services.recordings.domain import recording
from shared.owned_streams import OwnedStreams, StreamKind

OWNED_STREAMS = OwnedStreams(
    kinds=(
        StreamKind(
            name="recording",
            table="recordings",
            key="call_id",
            domain=recording,
            published_state=handlers.published_state,
            row=projections.row,
        ),
    ),
    resend=handlers.resend,
)
