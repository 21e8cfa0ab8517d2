"""Structured logs: one JSON object per line, with the correlation id, and with phone numbers masked."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

PHONE_NUMBER = re.compile(r"(?<![\w.-])(\+?\d{3})\d{4,10}(\d\d)(?![\w-]|\.\d)")
ROW_DETAIL = re.compile(r"(\bDETAIL: ).*")
"""PostgreSQL's DETAIL lines contain whole rows."""
UNMASKED_FIELDS = frozenset({"correlation_id", "correlation_ids"})
_correlation: ContextVar[str] = ContextVar("correlation", default="")


def correlation_id() -> str:
    """The id of the request that the current greenthread works for; it follows the request through all services."""
    return _correlation.get()


def set_correlation_id(correlation: str) -> None:
    """Set the id for everything that this greenthread logs and writes from now on."""
    _correlation.set(correlation)


def masked(value: Any) -> Any:
    """The value with all phone numbers in its texts masked, for example `+380*****67`."""
    match value:
        case str():
            return PHONE_NUMBER.sub(r"\1*****\2", ROW_DETAIL.sub(r"\1…", value))
        case dict():
            return {masked(name): inner if name in UNMASKED_FIELDS else masked(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(inner) for inner in value]
    return value


class _Masking(JsonFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        masked_data: dict[str, Any] = masked(super().process_log_record(log_data))
        return masked_data


class _AddCorrelation(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = getattr(record, "correlation_id", "") or correlation_id()
        return True


def configure(service: str, level: str = "INFO") -> None:
    """Log to standard output from now on."""
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
    # Our entrypoints log their failures themselves, once and with what they did about them.
    logging.getLogger("nameko.containers").setLevel("CRITICAL")
