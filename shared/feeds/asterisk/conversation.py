"""Who talks with whom: bridges, transfers, pick-ups."""

from datetime import datetime

from shared.feeds.asterisk.call import INTERNAL
from shared.feeds.asterisk.channels import Channel, connected
from shared.feeds.asterisk.clock import Clock
from shared.feeds.asterisk.dialing import Search
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event


class Talk:
    def __init__(self, board: ExchangeState, clock: Clock, search: Search) -> None:
        self.board = board
        self.clock = clock
        self._search = search
        self.handlers: Handlers = {
            "BridgeEnter": self._enter_bridge,
            "BridgeLeave": self._leave_bridge,
            "BridgeDestroy": self._destroy_bridge,
            "BlindTransfer": self._transfer,
            "AttendedTransfer": self._transfer,
            "Pickup": self._pick_up,
        }

    def _enter_bridge(self, event: Event, at: datetime | None) -> None:
        channel = self.board.meet(event, at or self.clock.latest)
        if channel is None:
            return
        bridge = self.board.bridge(event)
        self.board.enter(channel, bridge)
        if bridge.holds:
            return
        call = self.board.touch(channel)
        if not channel.requested:
            call.reset_hangup()
        if bridge.conference:
            self._search.settle(channel, event)
            self._search.direct(call, INTERNAL)
        self.connect(channel, at)

    def connect(self, channel: Channel, at: datetime | None, estimated: bool = False) -> None:
        people = [one for one in connected(channel, self.board.by_name) if one.is_person and not one.leaving]
        if len(people) > 1:
            for one in people:
                self._talk(one, people, at, estimated)

    def _talk(self, channel: Channel, people: list[Channel], at: datetime | None, estimated: bool) -> None:
        call = self.board.touch(channel)
        if not channel.talks:
            channel.talks, channel.talk_at, channel.talk_estimated = True, at, estimated
            channel.talk_guess = self.clock.latest
        if channel.bridge and channel.bridge.conference and channel is call.caller:
            for other in people:
                if other.call != call.key:
                    call.met.setdefault(other.address, at or self.clock.latest)

    def _leave_bridge(self, event: Event, at: datetime | None) -> None:
        channel = self.board.meet(event, at or self.clock.latest)
        if channel is None:
            return
        bridge = self.board.bridge(event)
        if not self.board.leave(channel):
            bridge.left_unseen[channel.uniqueid] = channel
            self._connect_unseen(list({**bridge.left_unseen, **bridge.members}.values()), at)
        channel.unbridged_at = at
        self.board.touch(channel)

    def _connect_unseen(self, together: list[Channel], at: datetime | None) -> None:
        """They leave a bridge nobody saw them enter: they talked until now."""
        people = [channel for channel in together if channel.is_person]
        if len(people) > 1:
            for channel in people:
                self._talk(channel, [], at or self.clock.latest, estimated=True)

    def _destroy_bridge(self, event: Event, at: datetime | None) -> None:
        self.board.bridges.pop(event.get("bridgeuniqueid", ""), None)

    def _transfer(self, event: Event, at: datetime | None) -> None:
        """Who transfers steps out: their hanging up ends nothing."""
        for prefix in ("transferer", "origtransferer", "secondtransferer"):
            if channel := self.board.find(event, prefix):
                channel.stepped_out = True
                self.board.touch(channel).reset_hangup()

    def _pick_up(self, event: Event, at: datetime | None) -> None:
        picking, target = self.board.find(event), self.board.find(event, "target")
        if not picking or not target or picking.call == target.call:
            return
        call = self.board.call_of(picking)
        if not call.said:
            self.board.merge(call, self.board.call_of(target))
