"""Structured logs: one JSON object a line, with the correlation id of the work at hand."""

import logging
import sys
import time
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

_correlation: ContextVar[str] = ContextVar("correlation", default="")


def correlation_id() -> str:
    """The id that a request was given at the door and that follows it through every service."""
    return _correlation.get()


def work_for(correlation: str) -> None:
    """Whatever this greenthread logs or writes from now on belongs to `correlation`."""
    _correlation.set(correlation)


class _AddCorrelation(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = getattr(record, "correlation_id", "") or correlation_id()
        return True


def configure(service: str, level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_AddCorrelation())
    formatter = JsonFormatter(
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
