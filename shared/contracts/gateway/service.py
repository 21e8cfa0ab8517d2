"""The gateway owns people and settings, serves HTTP, and keeps the journal made of every owner's events."""

from shared.contracts.billing import rpc as billing
from shared.contracts.calls import rpc as calls
from shared.contracts.comments import rpc as comments
from shared.contracts.recordings import rpc as recordings
from shared.contracts.rpc import methods_of
from shared.contracts.service import EVENTS_OF_EVERY_OWNER, Queue, Service

OPERATOR_METHODS = ("resend",)
"""For a person who repairs a view: no service may call them."""

SERVICE = Service(
    "gateway",
    processes=("GatewayService", "Projector"),
    publishes=("reports", "gateway.events"),
    subscribes=(Queue("gateway.journal", exchanges=(EVENTS_OF_EVERY_OWNER,)),),
    calls=tuple(
        method.routing_key
        for method in methods_of(billing, calls, comments, recordings)
        if method.name not in OPERATOR_METHODS
    ),
)
