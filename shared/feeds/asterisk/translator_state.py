"""What the translator of Asterisk's events remembers, and how it is saved."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from shared.feeds.asterisk.call import Call
from shared.feeds.asterisk.channels import Bridge, Channel
from shared.feeds.asterisk.clock import Clock
from shared.feeds.asterisk.connection import ConnectionState
from shared.feeds.asterisk.exchange_state import ExchangeState
from shared.feeds.state_codec import Codec, UnreadableState


class Leaving(NamedTuple):
    since: datetime
    call: Call


@dataclass(slots=True, eq=False)
class State:
    """All of a translator that one event leaves for the next.

    The saved JSON has the names of these fields, and of those of all they refer to. To add, remove or rename one, or to
    change its type or meaning, makes another format: raise `FORMAT` where the state is written to disk.
    """

    board: ExchangeState = field(default_factory=ExchangeState)
    clock: Clock = field(default_factory=Clock)
    connection: ConnectionState = field(default_factory=ConnectionState)
    leaving: deque[Leaving] = field(default_factory=deque)
    """Calls that are over, in the order in which they ended."""
    reports: list[dict[str, Any]] = field(default_factory=list)
    """Not yet given to the caller: an event behind them could not be translated."""


_CODEC = Codec(State, channels=Channel, calls=Call, bridges=Bridge)


def dump(state: State) -> dict[str, Any]:
    """As JSON. It shares nothing with `state` but what never changes."""
    return _CODEC.dump(state)


def load(data: object) -> State:
    """Raises UnreadableState."""
    state = _CODEC.load(data)
    if not all(isinstance(report.get("report_id"), str) for report in state.reports):
        raise UnreadableState("a report without its id")
    return state
