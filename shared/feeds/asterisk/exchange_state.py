"""Who is who: the channels, bridges and calls of an exchange, found by what its events say of them."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.feeds.asterisk.call import Call
from shared.feeds.asterisk.channels import (
    BASIC_BRIDGE,
    CONFERENCE_BRIDGE,
    HOLDING_TECHNOLOGY,
    Bridge,
    Channel,
    clean,
    extension_of,
    name_of,
    number_of,
)
from shared.feeds.asterisk.clock import created_at, within_second
from shared.feeds.asterisk.stream import Event

Handlers = dict[str, Callable[[Event, datetime | None], None]]
"""By the event's name; the instant is None where only a record that is yet to come will tell it."""

MAX_LIVE_CALLS = 50_000
"""Live at once. Beyond it the oldest is dropped: its end must have been lost."""

MAX_ENDED_KEYS = 50_000
"""Keys of calls that are over, kept so that a late event does not make a call again."""


@dataclass(slots=True, eq=False)
class ExchangeState:
    connection: int = 0
    channels: dict[str, Channel] = field(default_factory=dict)
    by_name: dict[str, Channel] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    bridges: dict[str, Bridge] = field(default_factory=dict)
    touched: dict[str, Call] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _over: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def call_of(self, channel: Channel) -> Call:
        return self.calls[channel.call]

    def call_named(self, linkedid: str) -> Call | None:
        return self.calls.get(self._aliases.get(linkedid, linkedid))

    def touch(self, channel: Channel) -> Call:
        """The channel's call, to be looked at when the event has been taken in."""
        call = self.call_of(channel)
        self.touched[call.key] = call
        return call

    def find(self, event: Event, prefix: str = "") -> Channel | None:
        """The channel an event tells of, if it is known; its keys begin with `prefix`."""
        channel = self.channels.get(event.get(f"{prefix}uniqueid", ""))
        if channel:
            self._rename(channel, event.get(f"{prefix}channel", ""))
            self._follow(channel, event.get(f"{prefix}linkedid", ""))
        return channel

    def meet(self, event: Event, at: datetime, prefix: str = "", new: bool = False) -> Channel | None:
        """The same, made if it was not known; None when its call is over or the event does not tell enough."""
        uniqueid, linkedid = event.get(f"{prefix}uniqueid", ""), event.get(f"{prefix}linkedid", "")
        if uniqueid in self.channels or not uniqueid or not linkedid or linkedid in self._over:
            return self.find(event, prefix)
        call = self._call(linkedid)
        if uniqueid in call.dropped:
            return None
        channel = Channel(
            uniqueid=uniqueid,
            name="",
            call=call.key,
            created_at=at if new else _born(uniqueid, at),
            connection=self.connection,
            seen_new=new,
            number=number_of(event, f"{prefix}calleridnum"),
            exten=extension_of(event, f"{prefix}exten"),
        )
        self.channels[uniqueid] = call.channels[uniqueid] = channel
        self.introduce(channel, event, prefix)
        self._rename(channel, event.get(f"{prefix}channel", ""))
        call.endpoints.add(channel.endpoint)
        return channel

    def introduce(self, channel: Channel, event: Event, prefix: str = "") -> None:
        """What it calls itself now."""
        channel.shown = number_of(event, f"{prefix}calleridnum")
        channel.caller_name = name_of(event, f"{prefix}calleridname")

    def bridge(self, event: Event) -> Bridge:
        key = event.get("bridgeuniqueid") or event.get("bridgeid", "")
        if key not in self.bridges:
            self.bridges[key] = Bridge(
                holds=event.get("bridgetechnology") == HOLDING_TECHNOLOGY,
                conference=event.get("bridgetype", BASIC_BRIDGE) == CONFERENCE_BRIDGE,
            )
        return self.bridges[key]

    def enter(self, channel: Channel, bridge: Bridge) -> None:
        self.leave(channel)
        channel.bridge = bridge
        bridge.members[channel.uniqueid] = channel

    def leave(self, channel: Channel) -> bool:
        """Out of the bridge it is in; False when it is in none."""
        if channel.bridge is None:
            return False
        channel.bridge.members.pop(channel.uniqueid, None)
        channel.bridge = None
        return True

    def forget_empty_bridges(self) -> None:
        self.bridges = {key: bridge for key, bridge in self.bridges.items() if bridge.members}

    def merge(self, call: Call, into: Call) -> None:
        """Its channels turn out to belong to another call; nothing had been reported of it."""
        self._aliases[call.key] = into.key
        into.aliases.add(call.key)
        for channel in list(call.channels.values()):
            self._move(channel, into)
        self.calls.pop(call.key, None)
        self.touched.pop(call.key, None)

    def begin_attempt(self, call: Call) -> None:
        """A queue may ring the same phones for hours: what the attempts before came to is not kept."""
        call.legs.clear()
        caller = call.caller
        for channel in list(call.channels.values()):
            if channel.gone and not channel.talks and channel.uniqueid != call.key and channel is not caller:
                call.dropped.add(channel.uniqueid)
                del call.channels[channel.uniqueid]
                self._drop(channel)

    def forget(self, call: Call) -> None:
        self.calls.pop(call.key, None)
        self.touched.pop(call.key, None)
        for channel in call.channels.values():
            self._drop(channel)
        for alias in call.aliases:
            self._aliases.pop(alias, None)
        self._over.update(dict.fromkeys({call.key, *call.aliases}))
        while len(self._over) > MAX_ENDED_KEYS:
            self._over.popitem(last=False)

    def _drop(self, channel: Channel) -> None:
        self.leave(channel)
        self.channels.pop(channel.uniqueid, None)
        if self.by_name.get(channel.name) is channel:
            del self.by_name[channel.name]

    def _call(self, linkedid: str) -> Call:
        key = self._aliases.get(linkedid, linkedid)
        if key not in self.calls:
            while len(self.calls) >= MAX_LIVE_CALLS:
                self.forget(next(iter(self.calls.values())))
            self.calls[key] = Call(key)
        return self.calls[key]

    def _rename(self, channel: Channel, name: str) -> None:
        if name and name != channel.name:
            if self.by_name.get(channel.name) is channel:
                del self.by_name[channel.name]
            channel.rename(clean(name))
            self.by_name[channel.name] = channel

    def _follow(self, channel: Channel, linkedid: str) -> None:
        """Bridged channels take the oldest linkedid among them, so a younger one is only late news."""
        key = self._aliases.get(linkedid, linkedid)
        if key and key != channel.call and key not in self._over and _age(key) < _age(channel.call):
            self._move(channel, self._call(key))

    def _move(self, channel: Channel, call: Call) -> None:
        old = self.touch(channel)
        del old.channels[channel.uniqueid]
        channel.call = call.key
        call.channels[channel.uniqueid] = channel
        call.endpoints.add(channel.endpoint)
        self.touch(channel)


def _age(uniqueid: str) -> tuple[int, int]:
    """Orders Uniqueids by creation: the epoch, then the exchange's counter."""
    epoch, _, counter = uniqueid.rpartition("-")[2].partition(".")
    return (int(epoch), int(counter)) if epoch.isdecimal() and counter.isdecimal() else (0, 0)


def _born(uniqueid: str, now: datetime) -> datetime:
    created = created_at(uniqueid)
    return min(within_second(created), now) if created else now
