"""What a process counts, told to Prometheus at `/metrics` on a small door of its own."""

import logging
from contextlib import suppress

import eventlet
from eventlet import wsgi
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, make_wsgi_app

logger = logging.getLogger(__name__)

TAKEN = Counter("journal_messages_taken", "Messages of a queue that were handled.", ["queue"])
PARKED = Counter("journal_messages_parked", "Messages put into the dead-letter queue.", ["queue", "reason"])
OUTBOX_AGE = Gauge("journal_outbox_age_seconds", "Age of the oldest message that is not published.", ["exchange"])
GAPS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
HUB_GAP = Histogram("journal_hub_gap_seconds", "How much later than due a turn of the hub comes.", buckets=GAPS)
BOUNDS = {"max_size": 4, "keepalive": False, "socket_timeout": 5, "log_output": False}


def serve(service: str, address: str | None) -> None:
    """Listen at `host:port`, or at the first free port of `host:first-last`; nowhere if there is no address.

    Every sample set says in `target_info` which service it is of, wherever that listens.
    """
    if not address:
        return
    REGISTRY.set_target_info({"service": service})
    if listening := _listen(address):
        eventlet.spawn(wsgi.server, listening, make_wsgi_app(), **BOUNDS)
    else:
        logger.error("no free port for metrics", extra={"address": address})


def _listen(address: str) -> eventlet.greenio.GreenSocket | None:
    host, _, ports = address.rpartition(":")
    first, _, last = ports.partition("-")
    for port in range(int(first), int(last or first) + 1):
        with suppress(OSError):
            return eventlet.listen((host, port), reuse_port=False)
    return None
