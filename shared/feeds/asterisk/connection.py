"""What a new connection tells of the time without one: nothing is replayed, but the live channels can be listed."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.feeds.asterisk.call import KILLED, UNSEEN
from shared.feeds.asterisk.channels import Channel
from shared.feeds.asterisk.clock import EPOCH, Clock, created_at, within_second
from shared.feeds.asterisk.conversation import Talk
from shared.feeds.asterisk.dialing import Search
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event

RESPONSE = ""
LOGGED_IN = "Authentication accepted"
UPTIME_ERROR = timedelta(seconds=1.5)

_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d)")
_WHOLE = re.compile(r"\d{1,9}")
"""More digits are no length of anything that lives."""


@dataclass(slots=True, eq=False)
class ConnectionState:
    """What is remembered of the exchange's start, and which channels were listed since the login."""

    listed: set[str] = field(default_factory=set)
    started: str = ""
    uptime: timedelta | None = None
    booted_at: datetime | None = None


class Connection:
    def __init__(self, board: ExchangeState, clock: Clock, state: ConnectionState, search: Search, talk: Talk) -> None:
        self.board = board
        self.clock = clock
        self._state = state
        self._search = search
        self._talk = talk
        self.handlers: Handlers = {
            RESPONSE: self._response,
            "FullyBooted": self._booted,
            "CoreShowChannel": self._list,
            "Status": self._list,
            "CoreShowChannelsComplete": self._end_list,
        }

    def _response(self, event: Event, at: datetime | None) -> None:
        if "corestartupdate" in event:
            self._tell_start(f"{event['corestartupdate']} {event.get('corestartuptime', '')}")
        if event.get("message") != LOGGED_IN:
            return
        self.board.connection += 1
        self._state.listed.clear()
        self.board.forget_empty_bridges()
        for call in self.board.calls.values():
            call.interrupted = True

    def _tell_start(self, started: str) -> None:
        """By the exchange's own clock, in whatever zone: another start than before ended all calls.

        Only this is told while it still boots: that no channel lives is told then too, before FullyBooted.
        """
        if self._state.started not in ("", started):
            self._end_all_calls()
        self._state.started = started

    def _booted(self, event: Event, at: datetime | None) -> None:
        uptime = _seconds(event.get("uptime", "")) or timedelta()
        if self._state.booted_at and self._state.booted_at + uptime + UPTIME_ERROR < self.clock.latest:
            self._end_all_calls()
        self._state.uptime, self._state.booted_at = uptime, None

    def tell_boot(self) -> None:
        """The first instant heard after the uptime tells when the exchange was started."""
        if self._state.uptime is not None and self.clock.latest > EPOCH:
            self._state.booted_at = self._state.booted_at or self.clock.latest - self._state.uptime

    def _end_all_calls(self) -> None:
        for call in self.board.calls.values():
            call.forced_ending = KILLED
            for channel in call.channels.values():
                self._lose(channel, self.clock.latest)

    def _lose(self, channel: Channel, at: datetime) -> None:
        channel.gone, channel.gone_at = True, channel.gone_at or at
        self.board.leave(channel)
        self.board.touch(channel)

    def _list(self, event: Event, at: datetime | None) -> None:
        age = _seconds(event.get("seconds") or event.get("duration", ""))
        created = created_at(event.get("uniqueid", ""))
        estimate = within_second(created + age) if created and age is not None else self.clock.now
        self.clock.advance(estimate)
        channel = self.board.meet(event, estimate)
        if channel is None:
            return
        self._state.listed.add(channel.uniqueid)
        if channel.seen_new and channel.connection == self.board.connection:
            # Its events are all heard, and tell it to the microsecond.
            return
        self._search.alert(channel, event.get("channelstate"), estimate)
        if event.get("bridgeid"):
            self.board.enter(channel, self.board.bridge(event))
            self._talk.connect(channel, estimate, estimated=True)
        self._search.settle(channel, event)

    def _end_list(self, event: Event, at: datetime | None) -> None:
        """What lived before this connection and is not listed ended unseen, not later than now."""
        for channel in list(self.board.channels.values()):
            listed = channel.uniqueid in self._state.listed
            if channel.connection < self.board.connection and not listed and not channel.gone:
                self.board.call_of(channel).forced_ending = UNSEEN
                self._lose(channel, within_second(self.clock.now))
        for call in self.board.calls.values():
            if not call.is_over:
                call.forced_ending = None


def _seconds(text: str) -> timedelta | None:
    """`3` of Status, `00:00:03` of CoreShowChannel."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return timedelta(seconds=int(text)) if _WHOLE.fullmatch(text) else None
    return timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=int(match[3]))
