"""The queue of a subscriber holds only what it may see, also after its scope or filters have changed."""

import socket
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import monotonic
from unittest.mock import patch
from uuid import UUID

import pytest

from services.gateway.domain.people import Account, Line
from services.gateway.endpoints import stream
from services.gateway.journal import change_feed
from services.gateway.journal.schemas import FilterSchema
from services.gateway.journal.subscribers import Subscriber, SubscriberHub
from shared.contracts.values import Role
from shared.plumbing import clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINE = Line(id=UUID(int=101), address="101", held_from=None, held_until=None)
OPERATOR = Account(id=UUID(int=1), tenant="oselia", login="olha", name="Ольга", role=Role.OPERATOR, lines=(LINE,))


def subscriber(**query: str) -> Subscriber:
    subscribed = Subscriber(UUID(int=2), OPERATOR, FilterSchema().load(query), 10, lambda: False, lambda caller: True)
    subscribed.refresh(None, OPERATOR)
    subscribed.enqueue([(13, b"13"), (17, b"17")], 20)
    return subscribed


@pytest.mark.parametrize("lines", [(), (replace(LINE, held_until=NOON),)], ids=["lost", "ended"])
def test_queued_events_are_read_again_when_the_lines_of_the_caller_change(lines):
    subscribed = subscriber()
    subscribed.refresh(None, replace(OPERATOR, lines=lines))
    assert (list(subscribed.queue), subscribed.position, subscribed.ended) == ([], 12, "")


def test_queued_events_are_read_again_when_the_day_of_a_relative_period_ends():
    with clock.fixed(NOON):
        subscribed = subscriber(period="today")
    with clock.fixed(NOON + timedelta(days=1)):
        subscribed.refresh(None, OPERATOR)
    assert (list(subscribed.queue), subscribed.position) == ([], 12)


def test_queued_events_remain_when_the_view_does_not_change():
    subscribed = subscriber()
    subscribed.queue.popleft()
    subscribed.refresh(None, replace(OPERATOR, name="Ольга Кобилянська"))
    assert (list(subscribed.queue), subscribed.position) == ([(17, b"17")], 20)


def test_a_subscriber_with_an_empty_queue_keeps_its_position():
    subscribed = subscriber()
    subscribed.queue.clear()
    subscribed.refresh(None, replace(OPERATOR, lines=()))
    assert subscribed.position == 20


def test_a_stream_sends_a_heartbeat_every_fifteen_seconds():
    assert stream.HEARTBEAT == 15.0


def test_an_idle_stream_sends_heartbeats_with_its_position():
    idle, (sock, other) = subscriber(), socket.socketpair()
    idle.queue.clear()
    with sock, other, patch.object(stream, "HEARTBEAT", 0.1):
        began = monotonic()
        heartbeats = list(islice(stream._until_ended(None, SubscriberHub(), idle, sock), 3))
    assert 0.3 <= monotonic() - began < 0.6
    assert heartbeats == [b": heartbeat\nid: %b\n\n" % stream._id(idle)] * 3


def test_queued_events_are_sent_before_a_heartbeat():
    busy, (sock, other) = subscriber(), socket.socketpair()
    with sock, other, patch.object(stream, "HEARTBEAT", 0.1):
        sent = list(islice(stream._until_ended(None, SubscriberHub(), busy, sock), 2))
    assert (sent[0], sent[1][:11]) == (b"1317", b": heartbeat")


def test_events_read_in_an_earlier_view_are_not_sent():
    class Hub(SubscriberHub):
        def read(self, conn, subscribers, after, upto):
            subscribers[0].refresh(conn, replace(OPERATOR, lines=()))
            return {subscribers[0]: [(30, b"30")]}

    class FakeDatabase:
        def autocommit(self):
            return nullcontext()

    subscribed = subscriber()
    subscribed.queue.clear()
    with patch.object(change_feed, "batch_end", lambda conn, tenant, after, upto: 30):
        stream._catch_up(FakeDatabase(), Hub(), subscribed)
    assert (list(subscribed.queue), subscribed.position) == ([], 20)
