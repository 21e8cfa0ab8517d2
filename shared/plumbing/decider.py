"""Execute commands on streams: lock, read, decide and append, in one transaction."""

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
    """A domain module: the initial state, `decide` (command to events) and `evolve` (event to state)."""

    INITIAL: Any

    def decide(self, state: Any, command: Any) -> list[Event]: ...

    def evolve(self, state: Any, event: Any) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnvelope:
    """A command for one stream, with the correlation id of its request."""

    tenant: str
    stream: str
    command: Any
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A stream changed by commands: state before and after, new version and published state."""

    tenant: str
    stream: str
    version: int
    before: Any
    after: Any
    published: Json


def execute(
    conn: Connection, decider: Decider, envelopes: Sequence[CommandEnvelope], describe: Callable[[str, Any], Json]
) -> list[Changed]:
    """Execute commands in their envelope, in this transaction; `describe(stream, state)` is the published state.

    Return the changed streams. Raises what `decide` raises; then nothing is written.
    """
    by_stream: dict[str, list[CommandEnvelope]] = {}
    for envelope in envelopes:
        by_stream.setdefault(envelope.stream, []).append(envelope)
    store.lock(conn, by_stream)
    histories = store.read(conn, by_stream)
    appends, changed = [], []
    for stream, stream_envelopes in cooperatively(by_stream.items(), 5):
        before = replay(decider, histories[stream])
        append, after = _decide(decider, stream_envelopes, before, len(histories[stream]), describe)
        if append.events:
            appends.append(append)
            version = append.seen + len(append.events)
            about: dict[str, Any] = {"tenant": append.tenant, "stream": stream, "version": version}
            changed.append(Changed(**about, before=before, after=after, published=append.events[-1].state))
    store.append(conn, appends, clock.now())
    return changed


def replay(decider: Decider, history: Sequence[Recorded]) -> Any:
    """The state that results from the events of one stream."""
    return reduce(decider.evolve, (recorded.event for recorded in history), decider.INITIAL)


def _decide(
    decider: Decider, envelopes: Sequence[CommandEnvelope], state: Any, seen: int, describe: Callable[[str, Any], Json]
) -> tuple[store.Append, Any]:
    events = []
    for envelope in envelopes:
        for event in decider.decide(state, envelope.command):
            state = decider.evolve(state, event)
            events.append(store.NewEvent(event, describe(envelope.stream, state), envelope.correlation_id))
    return store.Append(tenant=envelopes[0].tenant, stream=envelopes[0].stream, seen=seen, events=events), state
