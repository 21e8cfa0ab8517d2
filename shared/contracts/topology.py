"""Every exchange, queue and binding of the system, who may use it, and who may call whom.

The broker is set up from this file before any service starts; a service declares nothing but its own RPC
and reply queues. Adding an edge means adding it here: without it the broker refuses.
"""

from dataclasses import dataclass

from shared.contracts.values import Phase

RPC_EXCHANGE = "nameko-rpc"
DEAD_EXCHANGE = "dead"
RETRY_PAUSES = (1, 5, 30, 120, 600)
"""Seconds that a message waits before its second, third, … attempt."""
DELIVERY_LIMIT = 200
"""The broker's own limit, far above ours: it also counts deliveries that a crash took along."""


@dataclass(frozen=True, slots=True)
class Queue:
    """`queue` of `service`, fed by each of `exchanges` with the routing keys `keys`.

    A key is a type of events, or the phase that a stream is in after them (`shared/plumbing/relay.py`).
    """

    name: str
    service: str
    exchanges: tuple[str, ...]
    keys: tuple[str, ...] = ("#",)


@dataclass(frozen=True, slots=True)
class Service:
    """`publishes`: exchanges it may publish to. `calls`: RPC methods of others it may call."""

    name: str
    publishes: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


EVENT_SOURCES = ("calls", "comments", "billing", "recordings")
"""The services whose facts the journal is made of; each publishes to `<owner>.events` and has a heartbeat."""

BILLING = (
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
"""What the gateway asks of billing."""

SERVICES = (
    Service("billing", publishes=("billing.events",)),
    Service("calls", publishes=("calls.events", "reports")),
    Service("comments", publishes=("comments.events",)),
    Service("recordings", publishes=("recordings.events",)),
    Service(
        "gateway",
        publishes=("reports", "gateway.events"),
        calls=(
            "calls.timeline",
            "comments.write",
            "comments.delete",
            "comments.history",
            "comments.timeline",
            "recordings.delete",
            "recordings.peaks",
            "recordings.timeline",
            *(f"billing.{method}" for method in BILLING),
        ),
    ),
)
FACTS = tuple(f"{owner}.events" for owner in EVENT_SOURCES)
EXCHANGES = ("reports", "gateway.events", *FACTS)
SETTINGS = ("settings_changed",)
QUEUES = (
    Queue("billing.calls", "billing", ("calls.events",), keys=(Phase.ENDED,)),
    Queue("billing.settings", "billing", ("gateway.events",), keys=SETTINGS),
    Queue("calls.reports", "calls", ("reports",)),
    Queue("calls.settings", "calls", ("gateway.events",), keys=SETTINGS),
    Queue("recordings.settings", "recordings", ("gateway.events",), keys=SETTINGS),
    Queue("gateway.journal", "gateway", FACTS),
)


def queues_of(service: str) -> list[str]:
    """The queues that a service listens to for as long as it works, that of what it is asked first."""
    return [f"rpc-{service}", *(queue.name for queue in QUEUES if queue.service == service)]


def dead(queue: str) -> str:
    """The name of a queue's dead-letter queue."""
    return f"{queue}.dead"


def retry(pause: float) -> str:
    """The name of the exchange and queue in which a message waits `pause` seconds."""
    return f"retry.{pause:g}"
