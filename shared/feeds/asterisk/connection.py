"""Find out after a login what changed without a connection, from the list of live channels."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.feeds.asterisk.call import END_NOT_OBSERVED, KILLED
from shared.feeds.asterisk.channels import Channel
from shared.feeds.asterisk.clock import EPOCH, Clock, created_at, within_second
from shared.feeds.asterisk.conversation import Conversation
from shared.feeds.asterisk.dialing import Dialing
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event

RESPONSE = ""
LOGGED_IN = "Authentication accepted"
UPTIME_ERROR = timedelta(seconds=1.5)

_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d)")
_WHOLE = re.compile(r"\d{1,9}")
"""More digits are not a valid duration."""


@dataclass(slots=True, eq=False)
class ConnectionState:
    """The start time of the exchange, and the channels listed since the login."""

    listed: set[str] = field(default_factory=set)
    started: str = ""
    uptime: timedelta | None = None
    booted_at: datetime | None = None


class Connection:
    def __init__(
        self,
        exchange: ExchangeState,
        clock: Clock,
        state: ConnectionState,
        dialing: Dialing,
        conversation: Conversation,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self._state = state
        self._dialing = dialing
        self._conversation = conversation
        self.handlers: Handlers = {
            RESPONSE: self._response,
            "FullyBooted": self._booted,
            "CoreShowChannel": self._list_channel,
            "Status": self._list_channel,
            "CoreShowChannelsComplete": self._end_list,
        }

    def _response(self, event: Event, at: datetime | None) -> None:
        if "corestartupdate" in event:
            self._record_start(f"{event['corestartupdate']} {event.get('corestartuptime', '')}")
        if event.get("message") != LOGGED_IN:
            return
        self.exchange.connection += 1
        self._state.listed.clear()
        self.exchange.forget_empty_bridges()
        for call in self.exchange.calls.values():
            call.interrupted = True

    def _record_start(self, started: str) -> None:
        """Record the start time, in the exchange's own zone. Another one than before means that all calls ended.

        While the exchange boots, before FullyBooted, it already sends this and an empty list of channels.
        """
        if self._state.started not in ("", started):
            self._end_all_calls()
        self._state.started = started

    def _booted(self, event: Event, at: datetime | None) -> None:
        uptime = _seconds(event.get("uptime", "")) or timedelta()
        if self._state.booted_at and self._state.booted_at + uptime + UPTIME_ERROR < self.clock.latest:
            self._end_all_calls()
        self._state.uptime, self._state.booted_at = uptime, None

    def record_boot_time(self) -> None:
        """Compute when the exchange was started from its uptime and the first instant received after it."""
        if self._state.uptime is not None and self.clock.latest > EPOCH:
            self._state.booted_at = self._state.booted_at or self.clock.latest - self._state.uptime

    def _end_all_calls(self) -> None:
        for call in self.exchange.calls.values():
            call.forced_ending = KILLED
            for channel in call.channels.values():
                self._end_channel(channel, self.clock.latest)

    def _end_channel(self, channel: Channel, at: datetime) -> None:
        channel.gone, channel.gone_at = True, channel.gone_at or at
        self.exchange.leave(channel)
        self.exchange.mark_changed(channel)

    def _list_channel(self, event: Event, at: datetime | None) -> None:
        age = _seconds(event.get("seconds") or event.get("duration", ""))
        created = created_at(event.get("uniqueid", ""))
        estimate = within_second(created + age) if created and age is not None else self.clock.now
        self.clock.advance(estimate)
        channel = self.exchange.find_or_create(event, estimate)
        if channel is None:
            return
        self._state.listed.add(channel.uniqueid)
        if channel.seen_new and channel.connection == self.exchange.connection:
            # All its events were received, with exact times.
            return
        self._dialing.update_state(channel, event.get("channelstate"), estimate)
        if event.get("bridgeid"):
            self.exchange.enter(channel, self.exchange.bridge(event))
            self._conversation.mark_connected(channel, estimate, estimated=True)
        self._dialing.set_destination(channel, event)

    def _end_list(self, event: Event, at: datetime | None) -> None:
        """End the channels of earlier connections that are not listed. They ended at an unknown time before now."""
        for channel in list(self.exchange.channels.values()):
            listed = channel.uniqueid in self._state.listed
            if channel.connection < self.exchange.connection and not listed and not channel.gone:
                self.exchange.call_of(channel).forced_ending = END_NOT_OBSERVED
                self._end_channel(channel, within_second(self.clock.now))
        for call in self.exchange.calls.values():
            if not call.is_over:
                call.forced_ending = None


def _seconds(text: str) -> timedelta | None:
    """`3` of Status, `00:00:03` of CoreShowChannel."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return timedelta(seconds=int(text)) if _WHOLE.fullmatch(text) else None
    return timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=int(match[3]))
