"""Billing owns tariffs and the charges of calls."""

from shared.contracts.service import Queue, Service
from shared.contracts.values import Phase

SERVICE = Service(
    "billing",
    processes=("BillingService", "BillingRelay"),
    publishes=("billing.events",),
    subscribes=(
        Queue("billing.calls", exchanges=("calls.events",), keys=(Phase.ENDED,)),
        Queue("billing.settings", exchanges=("gateway.events",), keys=("settings_changed",)),
    ),
    owns_streams=("charge", "tariff"),
)
