"""Recordings owns the audio of calls."""

from shared.contracts.service import Queue, Service

SERVICE = Service(
    "recordings",
    processes=("RecordingsService", "RecordingsRelay"),
    publishes=("recordings.events",),
    subscribes=(Queue("recordings.settings", exchanges=("gateway.events",), keys=("settings_changed",)),),
    owns_streams=("recording",),
)
