"""Calls to the services that own the data, with a short timeout, and several at the same time."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from shared.contracts.errors import Unavailable
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.plumbing.rpc import Remote, gather

UPSTREAM_TIMEOUT = 1.5
"""Seconds. With the work before and after it, a client has its answer within two."""


def call_upstream(owner: Remote, method: RpcMethod, /, **request: Any) -> Json:
    """Raises what the owner raises, and Unavailable."""
    response: Json = owner.call(method, UPSTREAM_TIMEOUT, **request)
    return response


def call_upstreams(calls: Mapping[str, tuple[Remote, RpcMethod]], /, **request: Any) -> dict[str, Json | None]:
    """Send one request to several owners at the same time; None for an owner that does not respond in time.

    Raises any other error that one of them raises.
    """
    pending = {name: partial(call_upstream, owner, method, **request) for name, (owner, method) in calls.items()}
    return {name: _response(result) for name, result in gather(pending, UPSTREAM_TIMEOUT).items()}


def _response(result: Any) -> Json | None:
    if isinstance(result, Unavailable):
        return None
    if isinstance(result, Exception):
        raise result
    response: Json = result
    return response
