"""The state of the translator of Asterisk's events, and its JSON form."""

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
    """All that a translator keeps between events.

    The saved JSON has the names of these fields, and of the fields of all objects they refer to. To add, remove or
    rename one, or to change its type or meaning, makes another format: raise `FORMAT` where the
    state is written to disk.
    """

    exchange: ExchangeState = field(default_factory=ExchangeState)
    clock: Clock = field(default_factory=Clock)
    connection: ConnectionState = field(default_factory=ConnectionState)
    leaving: deque[Leaving] = field(default_factory=deque)
    """Calls that are over, in the order in which they ended."""
    reports: list[dict[str, Any]] = field(default_factory=list)
    """Reports not yet returned, because a later event raised an error."""


_CODEC = Codec(State, channels=Channel, calls=Call, bridges=Bridge)


def dump(state: State) -> dict[str, Any]:
    """The state as JSON. It shares only immutable values with `state`."""
    return _CODEC.dump(state)


def load(data: object) -> State:
    """Raises UnreadableState."""
    state = _CODEC.load(data)
    if not all(isinstance(report.get("report_id"), str) for report in state.reports):
        raise UnreadableState("a report without its id")
    return state
