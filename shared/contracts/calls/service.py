"""Calls owns what is known of every call."""

from shared.contracts.service import Queue, Service

SERVICE = Service(
    "calls",
    processes=("CallsService", "CallsRelay"),
    # Agents outside this system may still use the broker user of calls to publish reports.
    publishes=("calls.events", "reports"),
    subscribes=(
        Queue("calls.reports", exchanges=("reports",)),
        Queue("calls.settings", exchanges=("gateway.events",), keys=("settings_changed",)),
    ),
    owns_streams=("call",),
)
