"""The settings of the process, read from the environment."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

REQUIRED = ("AMQP_URI", "AMI_HOST", "AMI_USER", "AMI_SECRET", "AMI_TENANT", "AMI_SPOOL")
REQUIRED_FOR_UPLOAD = ("BASE_URL", "INGEST_KEY")
PLAIN_PORT, TLS_PORT = 5038, 5039


class Settings(NamedTuple):
    amqp_uri: str
    host: str
    user: str
    secret: str
    tenant: str
    spool: Path
    port: int = PLAIN_PORT
    tls: bool = False
    ca: str = ""
    trunks: frozenset[str] = frozenset()
    """The endpoints that are outside lines. Without any, the direction is guessed from the numbers."""
    region: str = "UA"
    recordings: Path | None = None
    """The exchange's folder of recordings, if it is mounted here."""
    records: Path | None = None
    """The exchange's Master.csv, if it is mounted here."""
    phones: Mapping[str, str] = MappingProxyType({})
    """In Master.csv, the numbers of endpoints whose name is not their number."""
    base_url: str = ""
    ingest_key: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings. Raises ValueError that names the missing variables."""
        needed = REQUIRED + (REQUIRED_FOR_UPLOAD if environment.get("AMI_RECORDINGS") else ())
        if missing := [name for name in needed if not environment.get(name)]:
            raise ValueError(f"Asterisk needs {', '.join(missing)} in the environment.")
        tls = environment.get("AMI_TLS", "") in ("1", "yes", "true")
        return cls(
            amqp_uri=environment["AMQP_URI"],
            host=environment["AMI_HOST"],
            user=environment["AMI_USER"],
            secret=environment["AMI_SECRET"],
            tenant=environment["AMI_TENANT"],
            spool=Path(environment["AMI_SPOOL"]),
            port=int(environment.get("AMI_PORT") or (TLS_PORT if tls else PLAIN_PORT)),
            tls=tls,
            ca=environment.get("AMI_CA", ""),
            trunks=frozenset(filter(None, environment.get("AMI_TRUNKS", "").replace(" ", "").split(","))),
            region=environment.get("AMI_REGION") or "UA",
            recordings=Path(environment["AMI_RECORDINGS"]) if environment.get("AMI_RECORDINGS") else None,
            records=Path(environment["AMI_CDR"]) if environment.get("AMI_CDR") else None,
            phones=_pairs(environment.get("AMI_PHONES", "")),
            base_url=environment.get("BASE_URL", ""),
            ingest_key=environment.get("INGEST_KEY", ""),
        )


def _pairs(text: str) -> dict[str, str]:
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    if wrong := ["".join(pair) for pair in pairs if not all(pair)]:
        raise ValueError(f"AMI_PHONES takes pairs such as bob=102; {wrong[0]!r} is not a pair.")
    return {name: number for name, _, number in pairs}
