"""What a service declares about itself: `shared/contracts/<service>/service.py` holds `SERVICE = Service(…)`.

`shared/contracts/topology.py` collects the declarations. Processes, databases, the broker's queues and permissions,
containers and the lists of the tests are derived from them.
"""

from dataclasses import dataclass

EVENTS_OF_EVERY_OWNER = "*.events"
"""In the exchanges of a queue, means the `<owner>.events` of every service that owns streams."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue `<service>.<subject>`, bound to each of `exchanges` with each of the routing keys `keys`.

    A key is a type of events, or the phase that a stream is in after them (`shared/plumbing/relay.py`).
    """

    name: str
    exchanges: tuple[str, ...]
    keys: tuple[str, ...] = ("#",)

    @property
    def service(self) -> str:
        """The service that consumes the queue."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Agent:
    """A process without Nameko: `python -m <module>`, started only where the environment variable `runs_if` is set."""

    module: str
    runs_if: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service, named like its folder under `services`.

    `processes`: the classes of its `service.py`, each of which runs in a process of its own. `publishes`: the exchanges
    it may publish to. `subscribes`: its queues. `calls`: the RPC methods of other services it may call.
    `owns_streams`: the kinds of its streams; the stream of kind `comment` with key 7 is `comment-7`. `agents`: its
    processes without Nameko; a service that has no other processes has no RPC. `has_database`: whether it has a
    database, which is named like the service.
    """

    name: str
    processes: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    subscribes: tuple[Queue, ...] = ()
    calls: tuple[str, ...] = ()
    owns_streams: tuple[str, ...] = ()
    agents: tuple[Agent, ...] = ()
    has_database: bool = True
