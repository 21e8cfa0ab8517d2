"""Handle the records of the exchange: the channel event log (CEL), detail records (Cdr), recordings."""

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
    def __init__(self, exchange: ExchangeState, clock: Clock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.handlers: Handlers = {
            "MixMonitorStart": self._record,
            "VarSet": self._set_variable,
            "CEL": self._read_channel_log,
            "Newexten": self._read_dialplan_step,
            "Cdr": self._read_detail_record,
        }

    def _record(self, event: Event, at: datetime | None) -> None:
        if channel := self.exchange.find(event):
            call = self.exchange.mark_changed(channel)
            call.recording = call.recording or Recording(channel, at or self.clock.latest)

    def _set_variable(self, event: Event, at: datetime | None) -> None:
        if event.get("variable") == RECORDING_FILE and (channel := self.exchange.find(event)):
            channel.recording_file = event.get("value", "")

    def _read_channel_log(self, event: Event, at: datetime | None) -> None:
        channel = self.exchange.channels.get(event.get("uniqueid", ""))
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
                self._add_targets(self.exchange.call_of(channel), event.get("appdata", ""), at)
            case _:
                return
        self.exchange.mark_changed(channel)

    def _read_dialplan_step(self, event: Event, at: datetime | None) -> None:
        """Record the targets that the dialplan is about to dial. They may have no channel."""
        channel = self.exchange.find(event)
        if channel and event.get("application") == DIAL:
            self._add_targets(self.exchange.mark_changed(channel), event.get("appdata", ""), at)

    def _add_targets(self, call: Call, dial: str, at: datetime | None) -> None:
        for endpoint in endpoints_of(dial):
            call.targets.setdefault(endpoint, at or self.clock.latest)

    def _read_detail_record(self, event: Event, at: datetime | None) -> None:
        call = self.exchange.call_named(event.get("linkedid", ""))
        if call is None:
            return
        self.exchange.changed[call.key] = call
        if not self.clock.knows_zone:
            self.clock.learn_zone(event.get("starttime", ""), event.get("uniqueid", ""))
        if event.get("lastapplication") == DIAL:
            self._add_targets(call, event.get("lastdata", ""), None)
        if call.partly_observed and event.get("disposition") == ANSWERED:
            self._add_recorded_answer(call, event)

    def _add_recorded_answer(self, call: Call, event: Event) -> None:
        """Take the second of an unobserved answer from the record, unless a queue or a menu answered first."""
        party, caller = self.exchange.by_name.get(event.get("destinationchannel", "")), call.caller
        answered = self.clock.local(event.get("answertime", ""))
        if party is None or answered is None or (party.talks and not party.talk_estimated):
            return
        if caller and caller.up_at and caller.up_at < party.created_at:
            return
        party.talks, party.talk_estimated = True, True
        party.answer_on_record = within_second(answered)
