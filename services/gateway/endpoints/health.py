"""Liveness, readiness and metrics of this process."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

import eventlet
import psycopg
from nameko.extensions import DependencyProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import Redis
from redis.exceptions import RedisError
from werkzeug.wrappers import Request, Response

from services.gateway.endpoints.endpoint import EndpointGroup
from shared.contracts.errors import Unavailable
from shared.http.entrypoint import Problem, answer, http
from shared.plumbing.database import Postgres
from shared.plumbing.publisher import BROKER_ERRORS, connect

logger = logging.getLogger(__name__)

PROBE_TIMEOUT = 2.0
OUTAGES = (eventlet.Timeout, Unavailable, psycopg.Error, RedisError, *BROKER_ERRORS)
RESULT_CACHE_TIME = 0.5


class Probes:
    """Probes all servers that the gateway needs at the same time."""

    def __init__(self, amqp_uri: str, redis_url: str) -> None:
        self._amqp_uri = amqp_uri
        self._redis = Redis.from_url(
            redis_url, socket_timeout=PROBE_TIMEOUT / 2, socket_connect_timeout=PROBE_TIMEOUT / 2
        )
        self._probed_at, self._missing = float("-inf"), list[str]()

    def missing(self, db: Postgres) -> list[str]:
        """The servers that do not answer within PROBE_TIMEOUT seconds."""
        if monotonic() - self._probed_at > RESULT_CACHE_TIME:
            probes = {"database": lambda: _ask_database(db), "broker": self._ask_broker, "cache": self._redis.ping}
            answers = {name: eventlet.spawn(_answers, name, probe) for name, probe in probes.items()}
            self._missing = [name for name, answer in answers.items() if not answer.wait()]
            self._probed_at = monotonic()
        return self._missing

    def _ask_broker(self) -> None:
        connect(self._amqp_uri).collect()


def _ask_database(db: Postgres) -> None:
    with db.connection() as conn:
        conn.execute("select 1")


def _answers(name: str, probe: Callable[[], Any]) -> bool:
    try:
        with eventlet.Timeout(PROBE_TIMEOUT):
            probe()
    except OUTAGES as error:
        logger.warning("server does not answer", extra={"server": name, "error": str(error)})
        return False
    return True


class Servers(DependencyProvider):
    def setup(self) -> None:
        self.probes = Probes(self.container.config["AMQP_URI"], self.container.config["REDIS_URL"])

    def get_dependency(self, worker_ctx: object) -> Probes:
        return self.probes


class HealthEndpoints(EndpointGroup):
    servers = Servers()

    @http("GET", "/healthz")
    def show_liveness(self, request: Request) -> Response:
        return answer({"status": "alive"})

    @http("GET", "/readyz")
    def show_readiness(self, request: Request) -> Response:
        missing = self.servers.missing(self.db)
        if missing:
            raise Problem("servers_unavailable", params={"servers": missing})
        return answer({"status": "ready"})

    @http("GET", "/metrics")
    def show_metrics(self, request: Request) -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
