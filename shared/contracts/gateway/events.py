"""Events about the settings of a tenant. Owned by services/gateway."""

from dataclasses import dataclass

from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """The settings of a tenant were changed, or are published again. Contains all settings.

    None means the default of the service that uses the setting; for `retention_days`, no limit.
    """

    time_zone: str
    region: str
    price_delay_seconds: int | None
    returned_window_hours: int | None
    retention_days: int | None
    currency: str
