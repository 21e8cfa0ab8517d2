"""What waits for a listener is what it may see and has asked for, also after that has changed."""

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


def listener(**asked: str) -> Subscriber:
    made = Subscriber(UUID(int=2), OPERATOR, FilterSchema().load(asked), 10, lambda: False)
    made.refresh(None, OPERATOR)
    made.give([(13, b"13"), (17, b"17")], 20)
    return made


@pytest.mark.parametrize("lines", [(), (replace(LINE, held_until=NOON),)], ids=["lost", "ended"])
def test_what_waits_is_looked_for_again_when_the_lines_are_others(lines):
    slow = listener()
    slow.refresh(None, replace(OPERATOR, lines=lines))
    assert (list(slow.waiting), slow.position, slow.ended) == ([], 12, "")


def test_what_waits_is_looked_for_again_when_the_day_that_was_asked_for_is_over():
    with clock.fixed(NOON):
        slow = listener(period="today")
    with clock.fixed(NOON + timedelta(days=1)):
        slow.refresh(None, OPERATOR)
    assert (list(slow.waiting), slow.position) == ([], 12)


def test_what_waits_stays_while_nothing_else_is_seen():
    slow = listener()
    slow.waiting.popleft()
    slow.refresh(None, replace(OPERATOR, name="Ольга Кобилянська"))
    assert (list(slow.waiting), slow.position) == ([(17, b"17")], 20)


def test_a_listener_for_whom_nothing_waits_goes_on_from_where_it_is():
    quick = listener()
    quick.waiting.clear()
    quick.refresh(None, replace(OPERATOR, lines=()))
    assert quick.position == 20


def test_a_stream_beats_every_fifteen_seconds():
    assert stream.HEARTBEAT == 15.0


def test_a_heartbeat_says_where_the_stream_is_and_comes_again_and_again_when_there_is_nothing_to_tell():
    quiet, (sock, other) = listener(), socket.socketpair()
    quiet.waiting.clear()
    with sock, other, patch.object(stream, "HEARTBEAT", 0.1):
        began = monotonic()
        beats = list(islice(stream._until_ended(None, SubscriberHub(), quiet, sock), 3))
    assert 0.3 <= monotonic() - began < 0.6
    assert beats == [b": heartbeat\nid: %b\n\n" % stream._id(quiet)] * 3


def test_what_waits_is_told_before_a_heartbeat():
    told, (sock, other) = listener(), socket.socketpair()
    with sock, other, patch.object(stream, "HEARTBEAT", 0.1):
        pieces = list(islice(stream._until_ended(None, SubscriberHub(), told, sock), 2))
    assert (pieces[0], pieces[1][:11]) == (b"1317", b": heartbeat")


def test_what_was_looked_for_with_other_eyes_is_not_told():
    class Streams(SubscriberHub):
        def read(self, conn, listeners, after, upto):
            listeners[0].refresh(conn, replace(OPERATOR, lines=()))
            return {listeners[0]: [(30, b"30")]}

    class Feed:
        def autocommit(self):
            return nullcontext()

    slow = listener()
    slow.waiting.clear()
    with patch.object(change_feed, "reach", lambda conn, tenant, after, upto: 30):
        stream._catch_up(Feed(), Streams(), slow)
    assert (list(slow.waiting), slow.position) == ([], 20)
