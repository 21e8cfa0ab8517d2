"""The streams of comments, as tools read, verify and resend them."""

from services.comments import handlers, projections
from services.comments.domain import comment
from shared.owned_streams import OwnedStreams, StreamKind

OWNED_STREAMS = OwnedStreams(
    kinds=(
        StreamKind(
            name="comment",
            table="comments",
            key="call_id",
            domain=comment,
            published_state=handlers.published_state,
            row=projections.row,
        ),
    ),
    resend=handlers.resend,
)
