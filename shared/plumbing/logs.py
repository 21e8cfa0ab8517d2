"""Structured logs: one JSON object a line, with the correlation id of the work at hand, and nobody's number."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

NUMBER = re.compile(r"(?<![\w.-])(\+?\d{3})\d{4,10}(\d\d)(?![\w-]|\.\d)")
ROWS = re.compile(r"(\bDETAIL: ).*")
"""Where PostgreSQL says which row it means, with all that is in it."""
IDS = frozenset({"correlation_id", "correlation_ids"})
_correlation: ContextVar[str] = ContextVar("correlation", default="")


def correlation_id() -> str:
    """The id that a request was given at the door and that follows it through every service."""
    return _correlation.get()


def set_correlation_id(correlation: str) -> None:
    """Whatever this greenthread logs or writes from now on belongs to `correlation`."""
    _correlation.set(correlation)


def masked(value: Any) -> Any:
    """The same without what says of whom it speaks: `+380*****67` for a number, wherever in the texts it stands."""
    match value:
        case str():
            return NUMBER.sub(r"\1*****\2", ROWS.sub(r"\1…", value))
        case dict():
            return {masked(name): inner if name in IDS else masked(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(inner) for inner in value]
    return value


class _Masking(JsonFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = masked(super().process_log_record(log_data))
        return told


class _AddCorrelation(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = getattr(record, "correlation_id", "") or correlation_id()
        return True


def configure(service: str, level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_AddCorrelation())
    formatter = _Masking(
        "%(asctime)s %(levelname)s %(name)s %(message)s %(correlation_id)s",
        rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
        static_fields={"service": service},
    )
    formatter.converter = time.gmtime
    formatter.default_time_format, formatter.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("amqp", "nameko.web.server", "psycopg.pool"):
        logging.getLogger(chatty).setLevel("WARNING")
    # Every entrypoint of the house tells of its failures itself, once and with what it did about them.
    logging.getLogger("nameko.containers").setLevel("CRITICAL")
