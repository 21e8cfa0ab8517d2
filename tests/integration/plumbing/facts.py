"""A domain small enough to see through: a notifier that counts who rang it. Its events are contracts that exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

from shared.contracts.calls import schemas  # noqa: F401  registers the wires
from shared.contracts.calls.events import PartyRang
from shared.contracts.errors import Rejected
from shared.contracts.event import Event
from shared.contracts.wire import Json
from shared.plumbing import store
from shared.plumbing.database import Connection
from shared.plumbing.decider import CommandEnvelope, Decider

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
CALL = UUID(int=1)


@dataclass(frozen=True)
class Ring:
    by: str


def rang(by: str) -> PartyRang:
    return PartyRang(call_id=CALL, at=AT, report_id=by, party=by)


def decide(state: tuple[str, ...], command: Ring) -> list[Event]:
    if command.by == "nobody":
        raise Rejected("nobody_rings")
    return [] if command.by in state else [rang(command.by)]


def evolve(state: tuple[str, ...], event: PartyRang) -> tuple[str, ...]:
    return (*state, event.party)


BELL: Decider = SimpleNamespace(INITIAL=(), decide=decide, evolve=evolve)  # type: ignore[assignment]


def describe(stream: str, state: tuple[str, ...]) -> Json:
    return {"rung": list(state)}


def order(stream: str, by: str) -> CommandEnvelope:
    return CommandEnvelope(tenant="acme", stream=stream, command=Ring(by), correlation_id="trace")


def stream() -> str:
    return f"call-{uuid4()}"


def add(conn: Connection, name: str, seen: int, parties: Sequence[str]) -> None:
    """Append to the stream without deciding anything."""
    written = [store.NewEvent(rang(by), {}, "trace") for by in parties]
    store.append(conn, [store.Append(tenant="acme", stream=name, seen=seen, events=written)], AT)
