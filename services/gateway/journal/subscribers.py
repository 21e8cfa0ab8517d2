"""The open event streams of this process. One greenthread reads the change feed for all of them."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from uuid import UUID

import eventlet
import orjson
import psycopg
from eventlet.event import Event
from nameko.extensions import DependencyProvider
from psycopg.errors import QueryCanceled

from services.gateway.auth import active_callers
from services.gateway.domain.filters import Filters
from services.gateway.domain.permissions import Caller
from services.gateway.domain.scope import Scope, scope_of
from services.gateway.journal import change_feed, entries, last_event_id
from services.gateway.journal.change_notifier import ChangeNotifier
from services.gateway.journal.request_filters import filters_from_query, for_account
from shared.contracts.errors import Unavailable
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres, is_outage

logger = logging.getLogger(__name__)

POLL_INTERVAL = CHECK_INTERVAL = 1.0
"""Seconds between reads of the feed without a notification, and between checks of the callers' permissions."""
LINGER = 0.02
"""Least seconds between two reads of the feed; notifications in between are read together."""
MAX_QUEUED_EVENTS = 2000
"""Events that may wait for a client. A client with more is too slow and its stream ends."""

QueuedEvent = tuple[int, bytes]
"""A feed number and the bytes of the server-sent event that brings a client there."""


class Subscriber:
    """An open stream. Every change up to `position` that it may see was sent or is in `queue`."""

    def __init__(
        self,
        credential_id: UUID,
        caller: Caller,
        query: Json,
        position: int,
        is_disconnected: Callable[[], bool],
        is_allowed: Callable[[Caller], bool],
    ) -> None:
        """`credential_id`: of the session or key. `is_allowed`: whether a caller may still use the endpoint."""
        self.credential_id, self.caller, self.query = credential_id, caller, query
        self.position, self.is_disconnected, self.is_allowed = position, is_disconnected, is_allowed
        self.filters, self.scope = Filters(), scope_of(caller)
        self.queue: deque[QueuedEvent] = deque()
        self.ended = ""
        self._wakeup = Event()

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    def refresh(self, conn: Connection, caller: Caller | None) -> None:
        """Apply the caller's current permissions, scope and lines, and the current day of relative periods.

        `caller` None: the session or key has ended.
        """
        if self.is_disconnected():
            return self.end("left")
        if caller is None:
            return self.end("session-ended")
        if not self.is_allowed(caller):
            return self.end("forbidden")
        filters = for_account(conn, self.query, caller, filters_from_query(self.query, caller, clock.now()))
        self.caller = caller
        return self._set_view(scope_of(caller), filters)

    def _set_view(self, scope: Scope, filters: Filters) -> None:
        """If the view changes, drop the queued events and step back, so that they are read again in the new view."""
        if self.queue and (scope, filters) != self.view:
            self.position = self.queue[0][0] - 1
            self.queue.clear()
        self.scope, self.filters = scope, filters

    @property
    def view(self) -> tuple[Scope, Filters]:
        return self.scope, self.filters

    def enqueue(self, events: Sequence[QueuedEvent], upto: int) -> None:
        self.position = max(self.position, upto)
        if len(self.queue) + len(events) > MAX_QUEUED_EVENTS:
            return self.end("too-slow")
        self.queue.extend(events)
        return self.wake() if events else None

    def end(self, reason: str) -> None:
        """End the stream; the first reason is kept. Queued events are dropped: the client may no longer see them."""
        self.ended = self.ended or reason
        self.queue.clear()
        self.wake()

    def wake(self) -> None:
        if not self._wakeup.ready():
            self._wakeup.send()

    def wait(self, seconds: float) -> None:
        """Wait until an event is queued or the stream ends, at most `seconds`."""
        with eventlet.Timeout(max(seconds, 0), False):
            self._wakeup.wait()
        self._wakeup = Event()


class SubscriberHub:
    """Deliver changes to the subscribers of this process.

    A subscriber with `position < reached(tenant)` reads the feed itself until it has caught up.
    """

    def __init__(self) -> None:
        self._by_tenant: dict[str, set[Subscriber]] = {}
        self._reached: dict[str, int] = {}
        self._checked_at = 0.0
        self._wakeup, self._running = Event(), False

    def join(self, db: Postgres, subscriber: Subscriber, last: int) -> None:
        """Deliver changes to the subscriber from now on; `last` is the tenant's last feed number."""
        self._by_tenant.setdefault(subscriber.tenant, set()).add(subscriber)
        self._reached.setdefault(subscriber.tenant, last)
        if not self._running:
            self._running = True
            eventlet.spawn_n(self._run, db)

    def leave(self, subscriber: Subscriber) -> None:
        others = self._by_tenant.get(subscriber.tenant, set())
        others.discard(subscriber)
        if not others:
            self._by_tenant.pop(subscriber.tenant, None)
            self._reached.pop(subscriber.tenant, None)

    def reached(self, tenant: str) -> int:
        return self._reached.get(tenant, 0)

    def notify(self, tenant: str) -> None:
        """Read the feed now: the tenant's journal has changed."""
        if tenant in self._by_tenant and not self._wakeup.ready():
            self._wakeup.send()

    def read(
        self, conn: Connection, subscribers: Sequence[Subscriber], after: int, upto: int
    ) -> dict[Subscriber, list[QueuedEvent]]:
        """The events in (after, upto] for each of the subscribers, who are all of one tenant."""
        numbers: dict[Subscriber, list[int]] = {}
        rows: dict[int, change_feed.Change] = {}
        for filters, by_scope in _by_view(subscribers).items():
            scopes = list(by_scope)
            for change in self._changes(conn, by_scope, filters, after, upto):
                rows[change.feed] = change
                for subscriber in (subscriber for index in change.visible_to for subscriber in by_scope[scopes[index]]):
                    numbers.setdefault(subscriber, []).append(change.feed)
        events = self._events(conn, subscribers[0].caller, list(rows.values()))
        return {subscriber: [(feed, events[feed]) for feed in feeds] for subscriber, feeds in numbers.items()}

    def _changes(
        self, conn: Connection, by_scope: Mapping[Scope, Sequence[Subscriber]], filters: Filters, after: int, upto: int
    ) -> Sequence[change_feed.Change]:
        try:
            return change_feed.get_changes(conn, list(by_scope), filters, after, upto)
        except QueryCanceled:
            logger.warning("a stream's filter exceeded the query timeout; its streams are ended")
            for subscriber in (subscriber for subscribers in by_scope.values() for subscriber in subscribers):
                subscriber.end("failed")
            return []

    def _events(self, conn: Connection, caller: Caller, changes: Sequence[change_feed.Change]) -> dict[int, bytes]:
        built = entries.build_entries(conn, caller.tenant, [change.row for change in changes])
        return {
            change.feed: b"id: %b\nevent: entry\ndata: %b\n\n"
            % (last_event_id.encode(caller.tenant, change.feed).encode(), orjson.dumps(entry))
            for change, entry in zip(changes, built, strict=True)
        }

    def _run(self, db: Postgres) -> None:
        """Read the feed until there are no subscribers."""
        try:
            while self._by_tenant:
                self._poll(db)
                eventlet.sleep(LINGER)
                with eventlet.Timeout(POLL_INTERVAL - LINGER, False):
                    self._wakeup.wait()
                self._wakeup = Event()
        except Exception:
            logger.exception("streams failed and are ended")
        finally:
            self._running = False
            for subscriber in self._all():
                subscriber.end("failed")

    def _poll(self, db: Postgres) -> None:
        try:
            with db.long_transaction() as conn:
                self._check(conn)
                for tenant, last in change_feed.last_feed_numbers(conn, self._by_tenant).items():
                    self._deliver(conn, tenant, last)
        except (psycopg.Error, Unavailable) as error:
            if not is_outage(error):
                raise
            logger.warning("streams wait for the database to recover", extra={"error": str(error)})

    def _check(self, conn: Connection) -> None:
        if monotonic() < self._checked_at + CHECK_INTERVAL - LINGER:
            return
        subscribers, checked_at = self._all(), monotonic()
        credential_ids = {subscriber.credential_id for subscriber in subscribers}
        callers = active_callers.active_callers(conn, credential_ids, clock.now())
        for subscriber in subscribers:
            subscriber.refresh(conn, callers.get(subscriber.credential_id))
        self._checked_at = checked_at

    def _deliver(self, conn: Connection, tenant: str, last: int) -> None:
        while (after := self._reached.get(tenant, last)) < last:
            upto = change_feed.batch_end(conn, tenant, after, last)
            current = [each for each in self._by_tenant.get(tenant, ()) if each.position >= after and not each.ended]
            events = self.read(conn, current, after, upto) if current else {}
            for subscriber in current:
                new = [event for event in events.get(subscriber, ()) if event[0] > subscriber.position]
                subscriber.enqueue(new, upto)
            self._reached[tenant] = upto
            for subscriber in self._by_tenant.get(tenant, set()).difference(current):
                subscriber.wake()

    def _all(self) -> list[Subscriber]:
        return [subscriber for subscribers in self._by_tenant.values() for subscriber in subscribers]


def _by_view(subscribers: Iterable[Subscriber]) -> dict[Filters, dict[Scope, list[Subscriber]]]:
    grouped: dict[Filters, dict[Scope, list[Subscriber]]] = {}
    for subscriber in subscribers:
        grouped.setdefault(subscriber.filters, {}).setdefault(subscriber.scope, []).append(subscriber)
    return grouped


class OpenStreams(DependencyProvider):
    """Provide a worker with the `SubscriberHub` of this process, which receives the change notifications."""

    def setup(self) -> None:
        self.hub = SubscriberHub()
        self.notifier = ChangeNotifier(self.container.config["REDIS_URL"])

    def start(self) -> None:
        self.container.spawn_managed_thread(lambda: self.notifier.listen(self.hub.notify))

    def get_dependency(self, worker_ctx: object) -> SubscriberHub:
        return self.hub
