"""Asking the owners of facts: none is waited for longer than ANSWER_TIME, and several are asked at once."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from shared.contracts.errors import Unavailable
from shared.contracts.wire import Json
from shared.plumbing.rpc import Remote, gather

ANSWER_TIME = 1.5
"""Seconds: with what comes before and after, a client is answered within two."""


def call_upstream(owner: Remote, method: str, /, **words: Any) -> Json:
    """Raises what the owner raises, and Unavailable."""
    answered: Json = owner.call(method, ANSWER_TIME, **words)
    return answered


def call_upstreams(owners: Mapping[str, Remote], method: str, /, **words: Any) -> dict[str, Json | None]:
    """The same asked of several at once; None of those who do not answer. Raises what else one of them raises."""
    asks = {name: partial(call_upstream, owner, method, **words) for name, owner in owners.items()}
    return {name: _answered(answer) for name, answer in gather(asks, ANSWER_TIME).items()}


def _answered(answer: Any) -> Json | None:
    if isinstance(answer, Unavailable):
        return None
    if isinstance(answer, Exception):
        raise answer
    told: Json = answer
    return told
