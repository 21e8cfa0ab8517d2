"""The process's metrics, served to Prometheus at `/metrics` on a separate port."""

import logging
from contextlib import suppress

import eventlet
from eventlet import wsgi
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, make_wsgi_app

logger = logging.getLogger(__name__)

PROCESSED = Counter("journal_messages_processed", "Messages of a queue that were processed.", ["queue"])
DEAD_LETTERED = Counter(
    "journal_messages_dead_lettered", "Messages moved to the dead-letter queue.", ["queue", "reason"]
)
OUTBOX_AGE = Gauge("journal_outbox_age_seconds", "Age of the oldest unpublished message.", ["exchange"])
LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
EVENT_LOOP_LAG = Histogram("journal_event_loop_lag_seconds", "Delay of a due event loop turn.", buckets=LAG_BUCKETS)
SERVER_LIMITS = {"max_size": 4, "keepalive": False, "socket_timeout": 5, "log_output": False}


def serve(service: str, address: str | None) -> None:
    """Serve metrics at `host:port` or the first free port of `host:first-last`; without an address, do nothing.

    The metric `target_info` names the service.
    """
    if not address:
        return
    REGISTRY.set_target_info({"service": service})
    if listener := _listen(address):
        eventlet.spawn(wsgi.server, listener, make_wsgi_app(), **SERVER_LIMITS)
    else:
        logger.error("no free port for metrics", extra={"address": address})


def _listen(address: str) -> eventlet.greenio.GreenSocket | None:
    host, _, ports = address.rpartition(":")
    first, _, last = ports.partition("-")
    for port in range(int(first), int(last or first) + 1):
        with suppress(OSError):
            return eventlet.listen((host, port), reuse_port=False)
    return None
