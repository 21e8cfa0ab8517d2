"""API keys: of exchanges that send reports, and of programs that read the journal."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class KeyKind(StrEnum):
    INGEST = "ingest"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The key of a program. An ingest key may only send reports and recordings, an export key may only read."""

    id: UUID
    tenant: str
    kind: KeyKind
    time_zone: str = "Europe/Kyiv"
    region: str = "UA"
