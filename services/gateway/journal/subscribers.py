"""The open streams of this process: one greenthread looks for all of them, and Postgres says who sees what."""

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
from services.gateway.domain.permissions import Caller, may
from services.gateway.domain.scope import Scope, scope_of
from services.gateway.journal import change_feed, entries, last_event_id
from services.gateway.journal.change_notifier import ChangeNotifier
from services.gateway.journal.request_filters import filters_from_query, for_account
from shared.contracts.errors import Unavailable
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Connection, Postgres, is_outage

logger = logging.getLogger(__name__)

POLL = CHECK = 1.0
"""Seconds after which the feed is looked at unasked, and after which it is asked again who may listen."""
LINGER = 0.02
"""Seconds between two looks: what rings meanwhile is one look."""
MOST_WAITING = 2000
"""Events that may wait for a client before it is too slow."""

Piece = tuple[int, bytes]
"""A number of the feed, and the event that brings a client there."""


class Subscriber:
    """An open stream. All that it sees up to `position` has been given to it, or waits for it here."""

    def __init__(self, shown: UUID, caller: Caller, asked: Json, position: int, has_left: Callable[[], bool]) -> None:
        self.shown, self.caller, self.asked, self.position, self.has_left = shown, caller, asked, position, has_left
        self.filters, self.scope = Filters(), scope_of(caller)
        self.waiting: deque[Piece] = deque()
        self.ended = ""
        self._bell = Event()

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    def refresh(self, conn: Connection, caller: Caller | None) -> None:
        """Who listens may see other calls now, or none; and a day may have ended."""
        if self.has_left():
            return self.end("left")
        if caller is None:
            return self.end("session-ended")
        if not may(caller, "stream_journal") or (self.asked["account"] and not may(caller, "show_journal_of_account")):
            return self.end("forbidden")
        filters = for_account(conn, self.asked, caller, filters_from_query(self.asked, caller, clock.now()))
        self.caller = caller
        return self._see(scope_of(caller), filters)

    def _see(self, scope: Scope, filters: Filters) -> None:
        """What waits was looked for with other eyes: the stream looks for it again."""
        if self.waiting and (scope, filters) != self.sees:
            self.position = self.waiting[0][0] - 1
            self.waiting.clear()
        self.scope, self.filters = scope, filters

    @property
    def sees(self) -> tuple[Scope, Filters]:
        return self.scope, self.filters

    def give(self, pieces: Sequence[Piece], upto: int) -> None:
        self.position = max(self.position, upto)
        if len(self.waiting) + len(pieces) > MOST_WAITING:
            return self.end("too-slow")
        self.waiting.extend(pieces)
        return self.wake() if pieces else None

    def end(self, reason: str) -> None:
        """The first reason counts. What waits is not sent: it may be no longer for this client."""
        self.ended = self.ended or reason
        self.waiting.clear()
        self.wake()

    def wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def wait(self, seconds: float) -> None:
        """Until something waits for the client or the stream ends, or for `seconds`."""
        with eventlet.Timeout(max(seconds, 0), False):
            self._bell.wait()
        self._bell = Event()


class SubscriberHub:
    """`position < reached(tenant)`: the listener has to catch up by itself; else it is told from here."""

    def __init__(self) -> None:
        self._of: dict[str, set[Subscriber]] = {}
        self._reached: dict[str, int] = {}
        self._checked_at = 0.0
        self._bell, self._looks = Event(), False

    def join(self, db: Postgres, listener: Subscriber, last: int) -> None:
        """From now on the listener is told what changes; `last` is the tenant's last number when it came."""
        self._of.setdefault(listener.tenant, set()).add(listener)
        self._reached.setdefault(listener.tenant, last)
        if not self._looks:
            self._looks = True
            eventlet.spawn_n(self._look_on, db)

    def leave(self, listener: Subscriber) -> None:
        others = self._of.get(listener.tenant, set())
        others.discard(listener)
        if not others:
            self._of.pop(listener.tenant, None)
            self._reached.pop(listener.tenant, None)

    def reached(self, tenant: str) -> int:
        return self._reached.get(tenant, 0)

    def ring(self, tenant: str) -> None:
        """The tenant's journal has changed: look now."""
        if tenant in self._of and not self._bell.ready():
            self._bell.send()

    def read(
        self, conn: Connection, listeners: Sequence[Subscriber], after: int, upto: int
    ) -> dict[Subscriber, list[Piece]]:
        """What each of these listeners, all of one tenant, is to be told of (after, upto]."""
        told: dict[Subscriber, list[int]] = {}
        rows: dict[int, change_feed.Change] = {}
        for filters, by_scope in _alike(listeners).items():
            scopes = list(by_scope)
            for change in self._changes(conn, by_scope, filters, after, upto):
                rows[change.feed] = change
                for listener in (listener for number in change.seen_by for listener in by_scope[scopes[number]]):
                    told.setdefault(listener, []).append(change.feed)
        pieces = self._pieces(conn, listeners[0].caller, list(rows.values()))
        return {listener: [(number, pieces[number]) for number in numbers] for listener, numbers in told.items()}

    def _changes(
        self, conn: Connection, by_scope: Mapping[Scope, Sequence[Subscriber]], filters: Filters, after: int, upto: int
    ) -> Sequence[change_feed.Change]:
        try:
            return change_feed.changes(conn, list(by_scope), filters, after, upto)
        except QueryCanceled:
            logger.warning("a stream's filter takes too long")
            for listener in (listener for listeners in by_scope.values() for listener in listeners):
                listener.end("failed")
            return []

    def _pieces(self, conn: Connection, caller: Caller, changes: Sequence[change_feed.Change]) -> dict[int, bytes]:
        shown = entries.shown(conn, caller.tenant, [change.row for change in changes])
        return {
            change.feed: b"id: %b\nevent: entry\ndata: %b\n\n"
            % (last_event_id.encode(caller.tenant, change.feed).encode(), orjson.dumps(entry))
            for change, entry in zip(changes, shown, strict=True)
        }

    def _look_on(self, db: Postgres) -> None:
        """Until nobody listens any more."""
        try:
            while self._of:
                self._look_safely(db)
                eventlet.sleep(LINGER)
                with eventlet.Timeout(POLL - LINGER, False):
                    self._bell.wait()
                self._bell = Event()
        except Exception:
            logger.exception("the streams have failed")
        finally:
            self._looks = False
            for listener in self._everybody():
                listener.end("failed")

    def _look_safely(self, db: Postgres) -> None:
        try:
            with db.long_transaction() as conn:
                self._check(conn)
                for tenant, last in change_feed.last(conn, self._of).items():
                    self._look(conn, tenant, last)
        except (psycopg.Error, Unavailable) as error:
            if not is_outage(error):
                raise
            logger.warning("streams wait for the database", extra={"error": str(error)})

    def _check(self, conn: Connection) -> None:
        if monotonic() < self._checked_at + CHECK - LINGER:
            return
        everybody, asked_at = self._everybody(), monotonic()
        still = active_callers.still_in(conn, {listener.shown for listener in everybody}, clock.now())
        for listener in everybody:
            listener.refresh(conn, still.get(listener.shown))
        self._checked_at = asked_at

    def _look(self, conn: Connection, tenant: str, last: int) -> None:
        while (after := self._reached.get(tenant, last)) < last:
            upto = change_feed.reach(conn, tenant, after, last)
            here = [one for one in self._of.get(tenant, ()) if one.position >= after and not one.ended]
            told = self.read(conn, here, after, upto) if here else {}
            for listener in here:
                fresh = [piece for piece in told.get(listener, ()) if piece[0] > listener.position]
                listener.give(fresh, upto)
            self._reached[tenant] = upto
            for listener in self._of.get(tenant, set()).difference(here):
                listener.wake()

    def _everybody(self) -> list[Subscriber]:
        return [listener for listeners in self._of.values() for listener in listeners]


def _alike(listeners: Iterable[Subscriber]) -> dict[Filters, dict[Scope, list[Subscriber]]]:
    alike: dict[Filters, dict[Scope, list[Subscriber]]] = {}
    for listener in listeners:
        alike.setdefault(listener.filters, {}).setdefault(listener.scope, []).append(listener)
    return alike


class OpenStreams(DependencyProvider):
    """Gives a worker the `SubscriberHub` of this process, who hear the notifier."""

    def setup(self) -> None:
        self.listeners = SubscriberHub()
        self.notifier = ChangeNotifier(self.container.config["REDIS_URL"])

    def start(self) -> None:
        self.container.spawn_managed_thread(lambda: self.notifier.listen(self.listeners.ring))

    def get_dependency(self, worker_ctx: object) -> SubscriberHub:
        return self.listeners
