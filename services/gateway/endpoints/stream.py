"""The journal as it happens: Server-Sent Events, resumed by the id of the last one that arrived."""

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

from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.journal import filter_parameters, shown_by
from services.gateway.journal import change_feed, last_event_id, schemas
from services.gateway.journal.subscribers import OpenStreams, Subscriber, SubscriberHub
from shared.contracts.errors import Unavailable
from shared.http import send_buffer
from shared.http.entrypoint import Stream
from shared.plumbing.database import Postgres, is_outage

logger = logging.getLogger(__name__)

HEARTBEAT = 15.0
RETRY = 1000
"""Milliseconds after which a client that has lost us comes back."""
MOST_UNSENT, PATIENCE = 64 * 1024, 5.0
"""Bytes that a client may leave untaken, and for how many seconds, until it is too slow."""
LARGEST_PIECE = 32 * 1024
CONTENT = "text/event-stream; charset=utf-8"
UNBUFFERED = {"X-Accel-Buffering": "no"}


class StreamEndpoints(EndpointGroup):
    streams = OpenStreams()

    @endpoint(
        "GET",
        "/api/v1/journal/stream",
        query=schemas.FilterSchema(),
        headers=schemas.ResumeSchema(),
        answers={200: "text/event-stream"},
    )
    def stream_journal(self, context: RequestContext) -> Response:
        """Calls as they change, as Server-Sent Events.

        Each `entry` event carries the whole call as it is now. Send the last `id` as `Last-Event-ID` to go on from
        there; without it the stream begins now. The last event of a stream that we end is `end`, with its `reason`.
        """
        caller, asked = context.caller, filter_parameters(context)
        sent = context.request.headers.get(last_event_id.HEADER)
        sock = context.request.environ["eventlet.input"].get_socket()
        with self.db.autocommit() as conn:
            last = change_feed.last_feed_numbers(conn, [caller.tenant]).get(caller.tenant, 0)
            position = last if sent is None else last_event_id.decode(caller.tenant, sent, last)
            listener = Subscriber(shown_by(self, context), caller, asked, position, partial(send_buffer.has_left, sock))
            listener.refresh(conn, caller)
        pieces = _events(self.db, self.streams, listener, last, sock)
        return Stream(pieces, content_type=CONTENT, headers=UNBUFFERED)


def _events(db: Postgres, streams: SubscriberHub, listener: Subscriber, last: int, sock: Any) -> Iterator[bytes]:
    send_buffer.make_room(sock)
    streams.join(db, listener, last)
    began, reason = monotonic(), "left"
    try:
        yield b"retry: %d\nid: %b\n\n" % (RETRY, _id(listener))
        yield from _until_ended(db, streams, listener, sock)
        reason = listener.ended
        yield _end(reason)
    except GreenletExit:
        reason = "stopping"
        yield _end(reason)
    finally:
        streams.leave(listener)
        about = {"tenant": listener.tenant, "reason": reason, "seconds": round(monotonic() - began, 1)}
        logger.info("stream ended", extra=about)


def _until_ended(db: Postgres, streams: SubscriberHub, listener: Subscriber, sock: Any) -> Iterator[bytes]:
    beats_at = monotonic() + HEARTBEAT
    while _keeps_up(listener, sock) and not listener.ended:
        if listener.queue:
            yield _next_piece(listener)
        elif listener.position < streams.reached(listener.tenant):
            _catch_up(db, streams, listener)
        elif (left := beats_at - monotonic()) > 0:
            listener.wait(left)
            continue
        if monotonic() >= beats_at and not listener.queue:
            beats_at += HEARTBEAT
            yield b": heartbeat\nid: %b\n\n" % _id(listener)


def _next_piece(listener: Subscriber) -> bytes:
    """What waits, as much of it as is well written at once."""
    events = [listener.queue.popleft()[1]]
    size = len(events[0])
    while listener.queue and (size := size + len(listener.queue[0][1])) <= LARGEST_PIECE:
        events.append(listener.queue.popleft()[1])
    return b"".join(events)


def _catch_up(db: Postgres, streams: SubscriberHub, listener: Subscriber) -> None:
    """Look for what others have been told of already, a page at a time."""
    after, upto, view = listener.position, streams.reached(listener.tenant), listener.view
    try:
        with db.autocommit() as conn:
            upto = change_feed.batch_end(conn, listener.tenant, after, upto)
            found = streams.read(conn, [listener], after, upto)
    except (psycopg.Error, Unavailable) as error:
        if not is_outage(error):
            raise
        return listener.end("unavailable")
    # Who sees something else by now looks again.
    return listener.enqueue(found.get(listener, []), upto) if listener.view == view else None


def _keeps_up(listener: Subscriber, sock: Any) -> bool:
    """Wait until the client has taken most of what was sent; one that does not is too slow."""
    deadline = monotonic() + PATIENCE
    while send_buffer.unsent(sock) > MOST_UNSENT and not listener.ended:
        if monotonic() > deadline:
            listener.end("too-slow")
        eventlet.sleep(0.05)
    return not listener.ended


def _id(listener: Subscriber) -> bytes:
    return last_event_id.encode(listener.tenant, listener.position).encode()


def _end(reason: str) -> bytes:
    return b"event: end\ndata: %b\n\n" % orjson.dumps({"reason": reason})
