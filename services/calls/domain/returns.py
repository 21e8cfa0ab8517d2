"""Find the call-back that returned a missed call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MissedCall:
    call_id: UUID
    ended_at: datetime
    returned_by: UUID | None


@dataclass(frozen=True, slots=True)
class CallBack:
    """An answered outbound call to the number that was missed."""

    call_id: UUID
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Windows:
    """How long after a missed call a call-back counts: per tenant, or `default`."""

    default: timedelta
    of_tenants: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, tenant: str) -> timedelta:
        return self.of_tenants.get(tenant, self.default)


def returned_by(missed: MissedCall, call_backs: Iterable[CallBack], window: timedelta) -> CallBack | None:
    """The first call-back answered after the missed call ended and within the window."""
    candidates = (
        call_back for call_back in call_backs if missed.ended_at <= call_back.answered_at <= missed.ended_at + window
    )
    return min(candidates, key=lambda call_back: (call_back.answered_at, call_back.call_id), default=None)
