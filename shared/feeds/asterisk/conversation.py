"""Handle events of conversations: bridges, transfers, pick-ups."""

from datetime import datetime

from shared.feeds.asterisk.call import INTERNAL
from shared.feeds.asterisk.channels import Channel, connected
from shared.feeds.asterisk.clock import Clock
from shared.feeds.asterisk.dialing import Dialing
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event


class Conversation:
    def __init__(self, exchange: ExchangeState, clock: Clock, dialing: Dialing) -> None:
        self.exchange = exchange
        self.clock = clock
        self._dialing = dialing
        self.handlers: Handlers = {
            "BridgeEnter": self._enter_bridge,
            "BridgeLeave": self._leave_bridge,
            "BridgeDestroy": self._destroy_bridge,
            "BlindTransfer": self._transfer,
            "AttendedTransfer": self._transfer,
            "Pickup": self._pick_up,
        }

    def _enter_bridge(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find_or_create(event, at or self.clock.latest)
        if channel is None:
            return
        bridge = self.exchange.bridge(event)
        self.exchange.enter(channel, bridge)
        if bridge.holds:
            return
        call = self.exchange.mark_changed(channel)
        if not channel.requested:
            call.reset_hangup()
        if bridge.conference:
            self._dialing.set_destination(channel, event)
            self._dialing.set_direction(call, INTERNAL)
        self.mark_connected(channel, at)

    def mark_connected(self, channel: Channel, at: datetime | None, estimated: bool = False) -> None:
        everybody = connected(channel, self.exchange.by_name)
        people = [member for member in everybody if member.is_person and not member.leaving]
        if len(people) > 1:
            for person in people:
                self._mark_talking(person, people, at, estimated)

    def _mark_talking(self, channel: Channel, people: list[Channel], at: datetime | None, estimated: bool) -> None:
        call = self.exchange.mark_changed(channel)
        if not channel.talks:
            channel.talks, channel.talk_at, channel.talk_estimated = True, at, estimated
            channel.talk_guess = self.clock.latest
        if channel.bridge and channel.bridge.conference and channel is call.caller:
            for other in people:
                if other.call != call.key:
                    call.conference_parties.setdefault(other.address, at or self.clock.latest)

    def _leave_bridge(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.find_or_create(event, at or self.clock.latest)
        if channel is None:
            return
        bridge = self.exchange.bridge(event)
        if not self.exchange.leave(channel):
            bridge.left_without_entry[channel.uniqueid] = channel
            self._connect_without_entry(list({**bridge.left_without_entry, **bridge.members}.values()), at)
        channel.unbridged_at = at
        self.exchange.mark_changed(channel)

    def _connect_without_entry(self, together: list[Channel], at: datetime | None) -> None:
        """Channels that leave a bridge without an observed entry were connected until now."""
        people = [channel for channel in together if channel.is_person]
        if len(people) > 1:
            for channel in people:
                self._mark_talking(channel, [], at or self.clock.latest, estimated=True)

    def _destroy_bridge(self, event: Event, at: datetime | None) -> None:
        self.exchange.bridges.pop(event.get("bridgeuniqueid", ""), None)

    def _transfer(self, event: Event, at: datetime | None) -> None:
        """The transferring party leaves the conversation: its hangup does not end the call."""
        for prefix in ("transferer", "origtransferer", "secondtransferer"):
            if channel := self.exchange.find(event, prefix):
                channel.stepped_out = True
                self.exchange.mark_changed(channel).reset_hangup()

    def _pick_up(self, event: Event, at: datetime | None) -> None:
        picking, target = self.exchange.find(event), self.exchange.find(event, "target")
        if not picking or not target or picking.call == target.call:
            return
        call = self.exchange.call_of(picking)
        if not call.reported:
            self.exchange.merge(call, self.exchange.call_of(target))
