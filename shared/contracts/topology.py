"""Every process, exchange, queue and binding of the system, collected from the declarations of the services.

A declaration is `shared/contracts/<service>/service.py`. The broker is set up from this module before any service
starts; a service declares nothing at the broker but its own RPC and reply queues, and the broker refuses what no
service has declared.
"""

import re
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from shared.contracts.service import EVENTS_OF_EVERY_OWNER, Queue, Service

RPC_EXCHANGE = "nameko-rpc"
DEAD_EXCHANGE = "dead"
RETRY_PAUSES = (1, 5, 30, 120, 600)
"""Seconds that a message waits before its second, third, … attempt."""
DELIVERY_LIMIT = 200
"""The broker's own limit, far above ours: it also counts deliveries that a crash interrupted."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a service: `command` starts it, with the environment of the service. `target` is the class to run.

    One that `is_optional` does nothing until the environment names what it connects to. It has no `target`.
    """

    name: str
    service: str
    command: str
    target: str = ""
    is_optional: bool = False


def _declarations() -> tuple[Service, ...]:
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/service.py"))
    return tuple(import_module(f"shared.contracts.{folder}.service").SERVICE for folder in folders)


def _processes(service: Service) -> list[Process]:
    classes = [(_process_name(name), f"services.{service.name}.service:{name}") for name in service.processes]
    nameko = [
        Process(name, service.name, f"python -m shared.plumbing.runner {target}", target) for name, target in classes
    ]
    agents = [
        Process(
            agent.module.rpartition(".")[2],
            service.name,
            f"ops/stack/run-if-set {agent.runs_if} python -m {agent.module}",
            is_optional=True,
        )
        for agent in service.agents
    ]
    return nameko + agents


def _process_name(class_name: str) -> str:
    """`CommentsService` runs as `comments`, `CommentsRelay` as `comments-relay`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", class_name.removesuffix("Service")).lower()


SERVICES = _declarations()
PROCESSES = {process.name: process for service in SERVICES for process in _processes(service)}
DATABASES = tuple(service.name for service in SERVICES if service.has_database)
"""The services that have a database, which is named like the service."""
EVENT_SOURCES = tuple(service.name for service in SERVICES if service.owns_streams)
"""The services whose facts the journal is made of; each publishes to `<owner>.events` and has a heartbeat."""
STREAM_OWNERS = {kind: service.name for service in SERVICES for kind in service.owns_streams}
"""The service that owns the streams of each kind."""
RPC_SERVICES = tuple(service.name for service in SERVICES if service.processes)
"""The services that answer RPC, or call others."""
EXCHANGES = tuple(dict.fromkeys(exchange for service in SERVICES for exchange in service.publishes))
_OWNERS_EVENTS = tuple(f"{owner}.events" for owner in EVENT_SOURCES)


def _bound(queue: Queue) -> Queue:
    return replace(queue, exchanges=_OWNERS_EVENTS) if queue.exchanges == (EVENTS_OF_EVERY_OWNER,) else queue


QUEUES = tuple(_bound(queue) for service in SERVICES for queue in service.subscribes)


def stream_kind(stream: str) -> str:
    """`comment` for the stream `comment-7`."""
    return stream.partition("-")[0]


def queues_of(service: str) -> list[str]:
    """The queues that a service consumes for as long as it works, that of its RPC methods first."""
    return [f"rpc-{service}", *(queue.name for queue in QUEUES if queue.service == service)]


def dead(queue: str) -> str:
    """The name of a queue's dead-letter queue."""
    return f"{queue}.dead"


def retry(pause: float) -> str:
    """The name of the exchange and queue in which a message waits `pause` seconds."""
    return f"retry.{pause:g}"
