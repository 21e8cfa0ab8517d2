"""Which machine asks: the keys of exchanges and of programs that read."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class KeyKind(StrEnum):
    INGEST = "ingest"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An ingest key may only send, an export key may only read."""

    id: UUID
    tenant: str
    kind: KeyKind
    time_zone: str = "Europe/Kyiv"
    region: str = "UA"
