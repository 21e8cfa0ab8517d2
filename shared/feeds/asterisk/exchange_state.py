"""The channels, bridges and calls of an exchange, found by the identifiers in its events."""

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
"""By event name. The instant is None if a later record has it."""

MAX_LIVE_CALLS = 50_000
"""Beyond it the oldest live call is dropped: its end was probably lost."""

MAX_ENDED_KEYS = 50_000
"""Keys of ended calls, kept so that a late event does not create the call again."""


@dataclass(slots=True, eq=False)
class ExchangeState:
    connection: int = 0
    channels: dict[str, Channel] = field(default_factory=dict)
    by_name: dict[str, Channel] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    bridges: dict[str, Bridge] = field(default_factory=dict)
    changed: dict[str, Call] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _ended_keys: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def call_of(self, channel: Channel) -> Call:
        return self.calls[channel.call]

    def call_named(self, linkedid: str) -> Call | None:
        return self.calls.get(self._aliases.get(linkedid, linkedid))

    def mark_changed(self, channel: Channel) -> Call:
        """Mark the channel's call as changed, so that it is reported after the event, and return it."""
        call = self.call_of(channel)
        self.changed[call.key] = call
        return call

    def find(self, event: Event, prefix: str = "") -> Channel | None:
        """The channel of an event, if it is known. The event's keys begin with `prefix`."""
        channel = self.channels.get(event.get(f"{prefix}uniqueid", ""))
        if channel:
            self._rename(channel, event.get(f"{prefix}channel", ""))
            self._update_linkedid(channel, event.get(f"{prefix}linkedid", ""))
        return channel

    def find_or_create(self, event: Event, at: datetime, prefix: str = "", new: bool = False) -> Channel | None:
        """The same, created if unknown. None if its call is over or the event lacks identifiers."""
        uniqueid, linkedid = event.get(f"{prefix}uniqueid", ""), event.get(f"{prefix}linkedid", "")
        if uniqueid in self.channels or not uniqueid or not linkedid or linkedid in self._ended_keys:
            return self.find(event, prefix)
        call = self._call(linkedid)
        if uniqueid in call.dropped:
            return None
        channel = Channel(
            uniqueid=uniqueid,
            name="",
            call=call.key,
            created_at=at if new else _creation_time(uniqueid, at),
            connection=self.connection,
            seen_new=new,
            number=number_of(event, f"{prefix}calleridnum"),
            exten=extension_of(event, f"{prefix}exten"),
        )
        self.channels[uniqueid] = call.channels[uniqueid] = channel
        self.update_caller_id(channel, event, prefix)
        self._rename(channel, event.get(f"{prefix}channel", ""))
        call.endpoints.add(channel.endpoint)
        return channel

    def update_caller_id(self, channel: Channel, event: Event, prefix: str = "") -> None:
        """Set the number and name that it presents now."""
        channel.presented_number = number_of(event, f"{prefix}calleridnum")
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
        """Remove the channel from its bridge. False if it is in none."""
        if channel.bridge is None:
            return False
        channel.bridge.members.pop(channel.uniqueid, None)
        channel.bridge = None
        return True

    def forget_empty_bridges(self) -> None:
        self.bridges = {key: bridge for key, bridge in self.bridges.items() if bridge.members}

    def merge(self, call: Call, into: Call) -> None:
        """Move the channels of `call` to another call. Nothing of `call` has been reported."""
        self._aliases[call.key] = into.key
        into.aliases.add(call.key)
        for channel in list(call.channels.values()):
            self._move(channel, into)
        self.calls.pop(call.key, None)
        self.changed.pop(call.key, None)

    def begin_attempt(self, call: Call) -> None:
        """Drop the legs of earlier attempts: a queue may ring the same phones for hours."""
        call.legs.clear()
        caller = call.caller
        for channel in list(call.channels.values()):
            if channel.gone and not channel.talks and channel.uniqueid != call.key and channel is not caller:
                call.dropped.add(channel.uniqueid)
                del call.channels[channel.uniqueid]
                self._drop(channel)

    def forget(self, call: Call) -> None:
        self.calls.pop(call.key, None)
        self.changed.pop(call.key, None)
        for channel in call.channels.values():
            self._drop(channel)
        for alias in call.aliases:
            self._aliases.pop(alias, None)
        self._ended_keys.update(dict.fromkeys({call.key, *call.aliases}))
        while len(self._ended_keys) > MAX_ENDED_KEYS:
            self._ended_keys.popitem(last=False)

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

    def _update_linkedid(self, channel: Channel, linkedid: str) -> None:
        """Move the channel to an older call. Bridged channels take their oldest linkedid; a younger one is outdated."""
        key = self._aliases.get(linkedid, linkedid)
        if key and key != channel.call and key not in self._ended_keys and _age(key) < _age(channel.call):
            self._move(channel, self._call(key))

    def _move(self, channel: Channel, call: Call) -> None:
        old = self.mark_changed(channel)
        del old.channels[channel.uniqueid]
        channel.call = call.key
        call.channels[channel.uniqueid] = channel
        call.endpoints.add(channel.endpoint)
        self.mark_changed(channel)


def _age(uniqueid: str) -> tuple[int, int]:
    """A sort key of Uniqueids by creation: the epoch, then the exchange's counter."""
    epoch, _, counter = uniqueid.rpartition("-")[2].partition(".")
    return (int(epoch), int(counter)) if epoch.isdecimal() and counter.isdecimal() else (0, 0)


def _creation_time(uniqueid: str, now: datetime) -> datetime:
    created = created_at(uniqueid)
    return min(within_second(created), now) if created else now
