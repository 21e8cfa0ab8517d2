"""What a company has set for itself. Owned by services/gateway."""

from dataclasses import dataclass

from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """A company has set something anew, or is told again what it has set: always all of it.

    None: as the owner of the matter has it by default; for `retention_days`: for ever.
    """

    time_zone: str
    region: str
    price_delay_seconds: int | None
    returned_window_hours: int | None
    retention_days: int | None
    currency: str
