"""Asking the owners of facts: none is waited for longer than ANSWER_TIME, and several are asked at once."""

from collections.abc import Mapping
from contextvars import copy_context
from functools import partial
from typing import Any

import eventlet

from shared.contracts.errors import Unavailable
from shared.contracts.wire import Json
from shared.plumbing.rpc import Remote

ANSWER_TIME = 1.5
"""Seconds: with what comes before and after, a client is answered within two."""


def ask(owner: Remote, method: str, /, **words: Any) -> Json:
    """Raises what the owner raises, and Unavailable."""
    answered: Json = owner.call(method, ANSWER_TIME, **words)
    return answered


def ask_all(owners: Mapping[str, Remote], method: str, /, **words: Any) -> dict[str, Json | None]:
    """The same asked of several at once; None of those who do not answer."""
    asked = {
        name: eventlet.spawn(copy_context().run, partial(_answered, owner, method, words))
        for name, owner in owners.items()
    }
    return {name: answers.wait() for name, answers in asked.items()}


def _answered(owner: Remote, method: str, words: Json) -> Json | None:
    try:
        return ask(owner, method, **words)
    except Unavailable:
        return None
