"""Notify all gateways over Redis pub/sub that a tenant's journal has changed.

A lost notification only delays an update: open streams poll the feed every second anyway.
"""

import logging
from collections.abc import Callable, Collection
from time import monotonic

import eventlet
from nameko.extensions import DependencyProvider
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

CHANNEL = "journal"
REDIS_TIMEOUT = 0.2
"""Seconds that a notification may take."""
RETRY_PAUSE = 1.0
"""Seconds without another attempt after Redis failed."""


class ChangeNotifier:
    def __init__(self, url: str) -> None:
        self._url, self._paused_until = url, 0.0
        self._redis = Redis.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)

    def publish(self, tenants: Collection[str]) -> None:
        """Notify that the journals of these tenants have changed. Call it after the commit."""
        if not tenants or monotonic() < self._paused_until:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for tenant in tenants:
                    pipeline.publish(CHANNEL, tenant)
                pipeline.execute()
        except RedisError as error:
            self._paused_until = monotonic() + RETRY_PAUSE
            logger.warning("cannot publish to Redis; streams poll instead", extra={"error": str(error)})

    def listen(self, on_change: Callable[[str], None]) -> None:
        """Call `on_change` with each tenant whose journal changes. Reconnects and never returns."""
        while True:
            try:
                self._follow(on_change)
            except RedisError as error:
                logger.warning("cannot subscribe to Redis; streams poll instead", extra={"error": str(error)})
            eventlet.sleep(RETRY_PAUSE)

    def _follow(self, on_change: Callable[[str], None]) -> None:
        redis = Redis.from_url(self._url, socket_keepalive=True, health_check_interval=10)
        with redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(CHANNEL)
            for message in pubsub.listen():
                if message["type"] == "message":
                    on_change(message["data"].decode())


class RedisChangeNotifier(DependencyProvider):
    """Provide a worker with the notifier of this process."""

    def setup(self) -> None:
        self.notifier = ChangeNotifier(self.container.config["REDIS_URL"])

    def get_dependency(self, worker_ctx: object) -> ChangeNotifier:
        return self.notifier
