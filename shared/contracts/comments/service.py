"""Comments owns the comments of calls."""

from shared.contracts.service import Service

SERVICE = Service(
    "comments",
    processes=("CommentsService", "CommentsRelay"),
    publishes=("comments.events",),
    owns_streams=("comment",),
)
