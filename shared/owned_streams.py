"""What tools need to know of the streams of an owner: `services/<owner>/streams.py` holds `OWNED_STREAMS`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.contracts.wire import Json
from shared.plumbing.decider import Changed, Decider


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamKind:
    """The streams `<name>-<key>`, and `table`, which has a row for each of them with the key in the column `key`.

    `published_state(stream, state)` returns the published state, `row` the columns of a row that follow from it.
    """

    name: str
    table: str
    key: str
    domain: Decider
    published_state: Callable[[str, Any], Json]
    row: Callable[[Changed], Json]

    @property
    def prefix(self) -> str:
        return f"{self.name}-"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedStreams:
    """`resend(conn, command_id, tenant, call_ids, after, limit)` publishes the states of streams once more."""

    kinds: tuple[StreamKind, ...]
    resend: Callable[..., Json]
