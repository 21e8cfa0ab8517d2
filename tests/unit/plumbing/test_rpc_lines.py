"""What RPC does when a line breaks under it, and how long those may ask whose own caller waits."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from amqp.exceptions import RecoverableConnectionError

from shared.contracts.calls import rpc as contract
from shared.contracts.errors import Unavailable
from shared.plumbing import deadline, rpc
from shared.plumbing.publisher import Outgoing
from tests.sizes import Size, sized

BROKEN = [ConnectionResetError(104, "reset"), TimeoutError(110, "timed out"), RecoverableConnectionError("gone")]


@pytest.mark.parametrize("error", BROKEN, ids=repr)
@pytest.mark.parametrize("what", ["ack", "requeue", "reject"])
def test_a_line_that_breaks_in_an_acknowledgement_ends_nothing(what: str, error: Exception) -> None:
    message = Mock(**{f"{what}.side_effect": error})
    getattr(rpc._QueueConsumer(), f"{what}_message")(message)
    assert getattr(message, what).called


class Publishers:
    """Keeps what it is given, and gets no further."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def publish(self, messages: list[Outgoing]) -> None:
        self.sent += messages
        raise Unavailable


@pytest.mark.parametrize(
    ("waits", "asks", "most"), [(1.0, 3.0, 1000), (10.0, 3.0, 3000), (None, 3.0, 3000), ("soon", 3.0, 3000)]
)
def test_nobody_asks_for_longer_than_his_own_caller_waits(waits: Any, asks: float, most: int) -> None:
    deadline.before_deadline({"deadline": time.time() + waits if isinstance(waits, float) else waits})
    publishers, listener = Publishers(), SimpleNamespace(get_reply_event=Mock(), forget=Mock(), routing_key="me")
    with pytest.raises(Unavailable):
        rpc.Remote("calls", publishers, listener).call(contract.timeline, asks)  # type: ignore[arg-type]
    [request] = publishers.sent
    assert request.properties
    assert most - 100 <= int(request.properties["expiration"]) <= most
    assert listener.forget.called, "what nobody waits for is not kept"
    deadline.before_deadline({})


def test_work_is_wanted_until_the_deadline_of_its_caller() -> None:
    assert deadline.before_deadline({"deadline": time.time() + 1})
    assert not deadline.before_deadline({"deadline": time.time() - 1})
    assert deadline.before_deadline({"deadline": "soon"})
    assert deadline.before_deadline({})


class Unanswered:
    """The broker takes every other request; nobody answers any."""

    def __init__(self) -> None:
        self.asked = 0

    def publish(self, messages: list[Outgoing]) -> None:
        self.asked += 1
        if self.asked % 2:
            raise Unavailable


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@sized("R17")
def test_calls_that_failed_leave_nothing_behind(size: Size) -> None:
    publishers, listener = Unanswered(), rpc._ReplyListener()
    listener.routing_key = "me"
    remote = rpc.Remote("calls", publishers, listener)  # type: ignore[arg-type]

    def fail(times: int) -> None:
        for _ in range(times):
            with pytest.raises(Unavailable):
                remote.call(contract.timeline, 0.001)

    fail(100)
    before = resident()
    fail(size.calls)
    assert (publishers.asked, listener._reply_events) == (size.calls + 100, {})
    assert resident() - before <= 5 * 1024 * 1024
