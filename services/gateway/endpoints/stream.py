"""Live changes of the journal: Server-Sent Events, resumed by the id of the last event."""

import logging
from collections.abc import Iterator
from functools import partial
from time import monotonic
from typing import Any

import eventlet
import orjson
import psycopg
from greenlet import GreenletExit
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import READERS
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.journal import ACCOUNT_FILTER_ROLES
from services.gateway.journal import change_feed, last_event_id, schemas
from services.gateway.journal.subscribers import OpenStreams, Subscriber, SubscriberHub
from shared.contracts.errors import Unavailable
from shared.http import send_buffer
from shared.http.entrypoint import Stream
from shared.plumbing.database import Postgres, is_outage

logger = logging.getLogger(__name__)

HEARTBEAT = 15.0
RETRY = 1000
"""Milliseconds after which a client reconnects."""
MAX_UNSENT_BYTES, MAX_LAG = 64 * 1024, 5.0
"""A client that leaves more bytes than that unread for MAX_LAG seconds is too slow."""
MAX_CHUNK_BYTES = 32 * 1024
CONTENT = "text/event-stream; charset=utf-8"
UNBUFFERED = {"X-Accel-Buffering": "no"}


class StreamEndpoints(EndpointGroup):
    streams = OpenStreams()

    @endpoint(
        "GET",
        "/api/v1/journal/stream",
        roles=READERS,
        query=schemas.FilterSchema(),
        query_roles=ACCOUNT_FILTER_ROLES,
        headers=schemas.ResumeSchema(),
        answers={200: "text/event-stream"},
    )
    def stream_journal(self, context: RequestContext) -> Response:
        """Calls as they change, as Server-Sent Events.

        Each `entry` event contains the whole call. Send the last `id` as `Last-Event-ID` to resume there; without it
        the stream begins now. The last event of a stream that the server ends is `end`, with its `reason`.
        """
        caller, query = context.caller, context.query
        event_id = context.request.headers.get(last_event_id.HEADER)
        sock = context.request.environ["eventlet.input"].get_socket()
        with self.db.autocommit() as conn:
            last = change_feed.last_feed_numbers(conn, [caller.tenant]).get(caller.tenant, 0)
            position = last if event_id is None else last_event_id.decode(caller.tenant, event_id, last)
            subscriber = Subscriber(
                context.credential_id,
                caller,
                query,
                position,
                partial(send_buffer.has_left, sock),
                partial(context.spec.access.allows, parameters=list(context.request.args)),
            )
            subscriber.refresh(conn, caller)
        chunks = _events(self.db, self.streams, subscriber, last, sock)
        return Stream(chunks, content_type=CONTENT, headers=UNBUFFERED)


def _events(db: Postgres, streams: SubscriberHub, subscriber: Subscriber, last: int, sock: Any) -> Iterator[bytes]:
    send_buffer.make_room(sock)
    streams.join(db, subscriber, last)
    began, reason = monotonic(), "left"
    try:
        yield b"retry: %d\nid: %b\n\n" % (RETRY, _id(subscriber))
        yield from _until_ended(db, streams, subscriber, sock)
        reason = subscriber.ended
        yield _end(reason)
    except GreenletExit:
        reason = "stopping"
        yield _end(reason)
    finally:
        streams.leave(subscriber)
        fields = {"tenant": subscriber.tenant, "reason": reason, "seconds": round(monotonic() - began, 1)}
        logger.info("stream ended", extra=fields)


def _until_ended(db: Postgres, streams: SubscriberHub, subscriber: Subscriber, sock: Any) -> Iterator[bytes]:
    beats_at = monotonic() + HEARTBEAT
    while _keeps_up(subscriber, sock) and not subscriber.ended:
        if subscriber.queue:
            yield _next_chunk(subscriber)
        elif subscriber.position < streams.reached(subscriber.tenant):
            _catch_up(db, streams, subscriber)
        elif (left := beats_at - monotonic()) > 0:
            subscriber.wait(left)
            continue
        if monotonic() >= beats_at and not subscriber.queue:
            beats_at += HEARTBEAT
            yield b": heartbeat\nid: %b\n\n" % _id(subscriber)


def _next_chunk(subscriber: Subscriber) -> bytes:
    """The waiting events, up to MAX_CHUNK_BYTES."""
    events = [subscriber.queue.popleft()[1]]
    size = len(events[0])
    while subscriber.queue and (size := size + len(subscriber.queue[0][1])) <= MAX_CHUNK_BYTES:
        events.append(subscriber.queue.popleft()[1])
    return b"".join(events)


def _catch_up(db: Postgres, streams: SubscriberHub, subscriber: Subscriber) -> None:
    """Read a page of the changes that other subscribers have received already."""
    after, upto, view = subscriber.position, streams.reached(subscriber.tenant), subscriber.view
    try:
        with db.autocommit() as conn:
            upto = change_feed.batch_end(conn, subscriber.tenant, after, upto)
            found = streams.read(conn, [subscriber], after, upto)
    except (psycopg.Error, Unavailable) as error:
        if not is_outage(error):
            raise
        return subscriber.end("unavailable")
    # If the scope or the filters changed meanwhile, the page is read again.
    return subscriber.enqueue(found.get(subscriber, []), upto) if subscriber.view == view else None


def _keeps_up(subscriber: Subscriber, sock: Any) -> bool:
    """Wait until the client has read most of the sent bytes. False if it is too slow, or the stream has ended."""
    deadline = monotonic() + MAX_LAG
    while send_buffer.unsent(sock) > MAX_UNSENT_BYTES and not subscriber.ended:
        if monotonic() > deadline:
            subscriber.end("too-slow")
        eventlet.sleep(0.05)
    return not subscriber.ended


def _id(subscriber: Subscriber) -> bytes:
    return last_event_id.encode(subscriber.tenant, subscriber.position).encode()


def _end(reason: str) -> bytes:
    return b"event: end\ndata: %b\n\n" % orjson.dumps({"reason": reason})
