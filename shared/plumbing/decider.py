"""Lock, read, decide, append, project: the whole life of commands, in one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

from shared.contracts.event import Event, Recorded
from shared.contracts.wire import Json
from shared.plumbing import clock, store
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import Connection


class Decider(Protocol):
    """A domain module: what a stream is at first, what a command changes, what an event makes of it."""

    INITIAL: Any

    def decide(self, state: Any, command: Any) -> list[Event]: ...

    def evolve(self, state: Any, event: Any) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnvelope:
    """A command for one stream, and the correlation id of who gave it."""

    tenant: str
    stream: str
    command: Any
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A stream that orders have changed: what it was, what it is, and the version that it is now."""

    tenant: str
    stream: str
    version: int
    before: Any
    after: Any
    published: Json


def execute(
    conn: Connection, decider: Decider, orders: Sequence[CommandEnvelope], describe: Callable[[str, Any], Json]
) -> list[Changed]:
    """Carry out orders in their order, in this transaction; `describe(stream, state)` is what gets published.

    Returns the streams that changed. Raises whatever `decide` raises, and then nothing is written.
    """
    by_stream: dict[str, list[CommandEnvelope]] = {}
    for order in orders:
        by_stream.setdefault(order.stream, []).append(order)
    store.lock(conn, by_stream)
    histories = store.read(conn, by_stream)
    appends, changed = [], []
    for stream, ordered in cooperatively(by_stream.items(), 5):
        before = replay(decider, histories[stream])
        append, after = _decide(decider, ordered, before, len(histories[stream]), describe)
        if append.events:
            appends.append(append)
            version = append.seen + len(append.events)
            about: dict[str, Any] = {"tenant": append.tenant, "stream": stream, "version": version}
            changed.append(Changed(**about, before=before, after=after, published=append.events[-1].state))
    store.append(conn, appends, clock.now())
    return changed


def replay(decider: Decider, history: Sequence[Recorded]) -> Any:
    """What the events of one stream amount to."""
    return reduce(decider.evolve, (recorded.event for recorded in history), decider.INITIAL)


def _decide(
    decider: Decider, orders: Sequence[CommandEnvelope], state: Any, seen: int, describe: Callable[[str, Any], Json]
) -> tuple[store.Append, Any]:
    events = []
    for order in orders:
        for event in decider.decide(state, order.command):
            state = decider.evolve(state, event)
            events.append(store.NewEvent(event, describe(order.stream, state), order.correlation_id))
    return store.Append(tenant=orders[0].tenant, stream=orders[0].stream, seen=seen, events=events), state
