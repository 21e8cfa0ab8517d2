"""The gateway owns people and settings, serves HTTP, and keeps the journal made of every owner's events."""

from shared.contracts.service import EVENTS_OF_EVERY_OWNER, Queue, Service

BILLING_METHODS = (
    "upload",
    "draft_tariff",
    "activate_tariff",
    "discard_tariff",
    "tariffs",
    "tariff",
    "rates",
    "price",
    "timeline",
    "failed",
    "retry",
    "rerate",
    "rerating",
    "rerating_sums",
    "report",
)
"""The methods of billing that the gateway calls."""

SERVICE = Service(
    "gateway",
    processes=("GatewayService", "Projector"),
    publishes=("reports", "gateway.events"),
    subscribes=(Queue("gateway.journal", exchanges=(EVENTS_OF_EVERY_OWNER,)),),
    calls=(
        "calls.timeline",
        "comments.write",
        "comments.delete",
        "comments.history",
        "comments.timeline",
        "recordings.delete",
        "recordings.peaks",
        "recordings.timeline",
        *(f"billing.{method}" for method in BILLING_METHODS),
    ),
)
