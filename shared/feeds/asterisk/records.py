"""What the exchange writes down beside its events: the channel log (CEL), detail records (Cdr), recordings."""

from datetime import datetime

from shared.feeds.asterisk.call import Call, Recording
from shared.feeds.asterisk.channels import endpoints_of
from shared.feeds.asterisk.clock import Clock, within_second
from shared.feeds.asterisk.exchange_state import ExchangeState, Handlers
from shared.feeds.asterisk.stream import Event

RECORDING_FILE = "MIXMONITOR_FILENAME"
DIAL = "Dial"
ANSWERED = "ANSWERED"


class Records:
    def __init__(self, board: ExchangeState, clock: Clock) -> None:
        self.board = board
        self.clock = clock
        self.handlers: Handlers = {
            "MixMonitorStart": self._record,
            "VarSet": self._set_variable,
            "CEL": self._log,
            "Newexten": self._step,
            "Cdr": self._account,
        }

    def _record(self, event: Event, at: datetime | None) -> None:
        if channel := self.board.find(event):
            call = self.board.touch(channel)
            call.recording = call.recording or Recording(channel, at or self.clock.latest)

    def _set_variable(self, event: Event, at: datetime | None) -> None:
        if event.get("variable") == RECORDING_FILE and (channel := self.board.find(event)):
            channel.recording_file = event.get("value", "")

    def _log(self, event: Event, at: datetime | None) -> None:
        channel = self.board.channels.get(event.get("uniqueid", ""))
        if channel is None:
            return
        match event.get("eventname"):
            case "ANSWER":
                channel.picked_up_at = channel.picked_up_at or at
            case "BRIDGE_ENTER":
                channel.bridged_at = channel.bridged_at or at
            case "HANGUP" | "CHAN_END":
                channel.gone_at = channel.gone_at or at
            case "APP_START" if event.get("application") == DIAL:
                self._aim(self.board.call_of(channel), event.get("appdata", ""), at)
            case _:
                return
        self.board.touch(channel)

    def _step(self, event: Event, at: datetime | None) -> None:
        """A step of the dialplan: whom it is about to dial, though nobody may be there."""
        channel = self.board.find(event)
        if channel and event.get("application") == DIAL:
            self._aim(self.board.touch(channel), event.get("appdata", ""), at)

    def _aim(self, call: Call, dial: str, at: datetime | None) -> None:
        for endpoint in endpoints_of(dial):
            call.targets.setdefault(endpoint, at or self.clock.latest)

    def _account(self, event: Event, at: datetime | None) -> None:
        call = self.board.call_named(event.get("linkedid", ""))
        if call is None:
            return
        self.board.touched[call.key] = call
        if not self.clock.knows_zone:
            self.clock.learn_zone(event.get("starttime", ""), event.get("uniqueid", ""))
        if event.get("lastapplication") == DIAL:
            self._aim(call, event.get("lastdata", ""), None)
        if call.half_heard and event.get("disposition") == ANSWERED:
            self._correct(call, event)

    def _correct(self, call: Call, event: Event) -> None:
        """The answer nobody saw: the record tells its second, unless a queue or a menu took the call up first."""
        party, caller = self.board.by_name.get(event.get("destinationchannel", "")), call.caller
        answered = self.clock.local(event.get("answertime", ""))
        if party is None or answered is None or (party.talks and not party.talk_estimated):
            return
        if caller and caller.up_at and caller.up_at < party.created_at:
            return
        party.talks, party.talk_estimated = True, True
        party.answer_on_record = within_second(answered)
