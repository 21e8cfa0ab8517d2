"""Accounts, and the lines that they hold."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An extension or SIP address held from `held_from` (None: always) until `held_until` (None: no end)."""

    id: UUID
    address: str
    held_from: datetime | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    id: UUID
    tenant: str
    login: str
    name: str
    role: Role
    lines: tuple[Line, ...] = ()
    time_zone: str = "Europe/Kyiv"
    region: str = "UA"
