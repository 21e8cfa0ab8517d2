"""The notifier of the journal: says over Redis that something has changed, so that nobody need wait for the next look.

It may be lost at any moment, and costs nobody more than patience: whoever waits looks for themselves every second.
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
BOUND = 0.2
"""Seconds that ringing may take."""
PAUSE = 1.0
"""Seconds for which a Redis that was not there is left alone."""


class ChangeNotifier:
    def __init__(self, url: str) -> None:
        self._url, self._quiet_until = url, 0.0
        self._redis = Redis.from_url(url, socket_timeout=BOUND, socket_connect_timeout=BOUND)

    def publish(self, tenants: Collection[str]) -> None:
        """The journals of these have changed, and that is committed."""
        if not tenants or monotonic() < self._quiet_until:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for tenant in tenants:
                    pipeline.publish(CHANNEL, tenant)
                pipeline.execute()
        except RedisError as error:
            self._quiet_until = monotonic() + PAUSE
            logger.warning("the notifier cannot be rung", extra={"error": str(error)})

    def listen(self, heard: Callable[[str], None]) -> None:
        """For ever: tell `heard` of each tenant whose journal has changed."""
        while True:
            try:
                self._follow(heard)
            except RedisError as error:
                logger.warning("the notifier cannot be heard", extra={"error": str(error)})
            eventlet.sleep(PAUSE)

    def _follow(self, heard: Callable[[str], None]) -> None:
        redis = Redis.from_url(self._url, socket_keepalive=True, health_check_interval=10)
        with redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(CHANNEL)
            for message in pubsub.listen():
                if message["type"] == "message":
                    heard(message["data"].decode())


class RedisChangeNotifier(DependencyProvider):
    """Gives a worker the notifier of this process."""

    def setup(self) -> None:
        self.notifier = ChangeNotifier(self.container.config["REDIS_URL"])

    def get_dependency(self, worker_ctx: object) -> ChangeNotifier:
        return self.notifier
