"""Handle events of dialling: new, ringing and ended channels, Dial() and Queue()."""

import re
from collections.abc import Collection
from datetime import datetime

from shared.feeds.asterisk.call import INBOUND, INTERNAL, OUTBOUND, Call
from shared.feeds.asterisk.channels import (
    DOWN,
    LOCAL,
    RINGING,
    UP,
    Channel,
    clean,
    extension_of,
    is_outside,
    looks_inbound,
    number_of,
)
from shared.feeds.asterisk.clock import Clock
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event

HANGUP_EXTENSION = "h"
MAX_CAUSE = 127

_SIP_CODE = re.compile(r"\b[1-6]\d\d\b")


class Dialing:
    def __init__(self, exchange: ExchangeState, clock: Clock, trunks: Collection[str]) -> None:
        self.exchange = exchange
        self.clock = clock
        self._trunks = trunks
        self.handlers: Handlers = {
            "Newchannel": self._create,
            "NewCallerid": self._change_caller_id,
            "Newstate": self._change_state,
            "DialBegin": self._begin_dial,
            "DialState": self._change_dial,
            "DialEnd": self._end_dial,
            "QueueCallerJoin": self._join_queue,
            "QueueCallerLeave": self._leave_queue,
            "HangupRequest": self._request_hangup,
            "Hangup": self._hang_up,
            "OriginateResponse": self._answer_originate,
        }

    def is_line(self, channel: Channel) -> bool:
        """Is it an outside line, or without named trunks a leg dialled as `+380501112233@somewhere`?"""
        if self._trunks:
            return channel.is_line(self._trunks)
        return is_outside(channel.dialled_number)

    def is_trunk(self, endpoint: str) -> bool:
        return endpoint in self._trunks

    def _create(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find_or_create(event, at or self.clock.latest, new=True)
        if channel:
            channel.placed_by_exchange = event.get("channelstate") == DOWN or channel.technology == LOCAL
            self.set_destination(channel, event)

    def _change_caller_id(self, event: Event, at: datetime | None) -> None:
        if channel := self.exchange.find(event):
            self.exchange.update_caller_id(channel, event)

    def _change_state(self, event: Event, at: datetime | None) -> None:
        if channel := self.exchange.find_or_create(event, at or self.clock.latest):
            self.update_state(channel, event.get("channelstate"), at or self.clock.latest)

    def update_state(self, channel: Channel, state: str | None, at: datetime) -> None:
        if state == RINGING:
            channel.ringing_at = channel.ringing_at or at
        if state == UP:
            channel.up_at = channel.up_at or at
        self.exchange.mark_changed(channel)

    def _request_hangup(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find(event)
        if channel is None or not channel.is_person:
            return
        call = self.exchange.mark_changed(channel)
        if not channel.requested and channel is call.caller:
            call.abandoned = call.is_searching
        channel.requested, channel.requested_at = True, channel.requested_at or at
        channel.cause, channel.sip = _cause(event) or channel.cause, _sip(event)
        if channel not in call.requests:
            call.requests.append(channel)

    def _hang_up(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find(event)
        if channel is None or channel.gone:
            return
        call = self.exchange.mark_changed(channel)
        if at and event.get("exten") == HANGUP_EXTENSION:
            at = channel.unbridged_at or at
        channel.gone, channel.gone_at = True, channel.gone_at or at
        channel.cause, channel.sip = _cause(event) or channel.cause, channel.sip or _sip(event)
        self.exchange.leave(channel)
        if leg := call.leg_of(channel):
            leg.open = False

    def _begin_dial(self, event: Event, at: datetime | None) -> None:
        at = at or self.clock.latest
        source, dialled = self.exchange.find_or_create(event, at), self.exchange.find_or_create(event, at, "dest")
        if dialled is None:
            return
        dialled.dial_string = clean(event.get("dialstring", ""))
        dialled.presented_number = dialled.presented_number or number_of(event, "destcalleridnum")
        self.update_state(dialled, event.get("destchannelstate"), at)
        call = self.exchange.call_of(dialled)
        if source is None or dialled is call.caller:
            return
        call.reset_hangup()
        if not call.is_dialling and call.leg_of(dialled) is None:
            self.exchange.begin_attempt(call)
        call.dial(dialled)
        self.set_destination(source, event)
        if dialled.is_person:
            self.set_direction(call, OUTBOUND if self._is_outbound(call) else INTERNAL)
            self._set_ring_group(call, source, event, at)

    def _change_dial(self, event: Event, at: datetime | None) -> None:
        if (dialled := self.exchange.find(event, "dest")) and event.get("dialstatus") == "RINGING":
            self.update_state(dialled, RINGING, at or self.clock.latest)

    def _end_dial(self, event: Event, at: datetime | None) -> None:
        dialled = self.exchange.find(event, "dest")
        leg = self.exchange.mark_changed(dialled).leg_of(dialled) if dialled else None
        if leg and leg.open:
            leg.open, leg.status, leg.forwarded = False, event.get("dialstatus", ""), "forward" in event

    def _join_queue(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find_or_create(event, at or self.clock.latest)
        if channel is None:
            return
        call, queue = self.exchange.mark_changed(channel), clean(event.get("queue", ""))
        call.reset_hangup()
        call.queues.add(queue)
        call.groups.setdefault(queue, at or self.clock.latest)
        self.set_destination(channel, event)
        self.set_direction(call, INTERNAL)

    def _leave_queue(self, event: Event, at: datetime | None) -> None:
        if channel := self.exchange.find(event):
            self.exchange.mark_changed(channel).queues.discard(clean(event.get("queue", "")))

    def _set_ring_group(self, call: Call, source: Channel, event: Event, at: datetime) -> None:
        """Of an inbound call that dials without a queue, the group is the dialled extension."""
        if call.direction == INBOUND and not call.groups:
            call.groups[extension_of(event) or source.exten or call.dialled] = at

    def _answer_originate(self, event: Event, at: datetime | None) -> None:
        """Set the destination of a call placed by the exchange, even if its first phone was not answered."""
        prefix = f"{event.get('channel', '')}-"
        for channel in list(self.exchange.channels.values()):
            if channel.placed_by_exchange and not channel.gone and channel.name.startswith(prefix):
                self.set_destination(channel, event)

    def set_destination(self, channel: Channel, event: Event) -> None:
        """Set the callee and the direction from the call's first channel."""
        call = self.exchange.mark_changed(channel)
        if channel is not call.first or (call.callee and not channel.placed_by_exchange):
            return
        if not call.direction or not call.callee:
            call.callee = extension_of(event) or channel.exten or call.callee
        if channel.placed_by_exchange:
            return
        if self.is_line(channel) or (not is_outside(call.callee) and self.looks_inbound(call)):
            self.set_direction(call, INBOUND)

    def set_direction(self, call: Call, direction: str) -> None:
        first = call.first
        if call.direction:
            return
        call.reversed = bool(first and first.placed_by_exchange and first.is_person and self.is_line(first))
        call.direction = OUTBOUND if call.reversed else self.guess_direction(call) or direction

    def guess_direction(self, call: Call) -> str:
        """The direction guessed from the numbers if no trunks are named; "" if unknown."""
        if self.looks_inbound(call):
            return INBOUND
        return OUTBOUND if not self._trunks and is_outside(call.callee) else ""

    def looks_inbound(self, call: Call) -> bool:
        first = call.first
        if self._trunks or first is None or first.placed_by_exchange:
            return False
        dialled = (channel.dialled_number for channel in call.people if self.is_line(channel))
        return looks_inbound(first, first.number, call.callee, dialled)

    def _is_outbound(self, call: Call) -> bool:
        """Does it dial outside lines only? With one internal phone among them the call is internal."""
        return all(self.is_line(channel) for channel in call.people if channel is not call.caller)


def _cause(event: Event) -> int | None:
    """The Q.850 cause. 0 means that there is none."""
    text = event.get("cause", "")
    cause = int(text) if text.isdecimal() else 0
    return cause if 0 < cause <= MAX_CAUSE else None


def _sip(event: Event) -> int | None:
    match = _SIP_CODE.search(event.get("techcause", ""))
    return int(match[0]) if match else None
