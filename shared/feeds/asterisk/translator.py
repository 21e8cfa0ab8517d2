"""Translate Asterisk's manager events (AMI, versions 16 to 22) into reports.

The service calls decides the state of a call. A report is made as soon as its fact is certain and is never withdrawn.
The instant of an estimate (`~seen`, `~record` in the report_id) is never earlier than that of the fact, so that the
report of a connection that observed the fact wins. Different estimates of two connections are two reports.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from shared.feeds.asterisk import translator_state
from shared.feeds.asterisk.call import (
    CALLEE_ABSENT,
    CONGESTION,
    INBOUND,
    INTERNAL,
    KILLED,
    NOT_REGISTERED,
    OUTBOUND,
    Call,
    ending,
)
from shared.feeds.asterisk.channels import Channel, is_outside
from shared.feeds.asterisk.clock import MICROSECOND
from shared.feeds.asterisk.connection import Connection
from shared.feeds.asterisk.conversation import Conversation
from shared.feeds.asterisk.dialing import Dialing
from shared.feeds.asterisk.exchange_state import Handlers
from shared.feeds.asterisk.records import Records
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator_state import Leaving, State

Report = dict[str, Any]
"""`{report_id, tenant, call, type, at, data}`, JSON as it is; `at` is RFC 3339 in UTC with microseconds."""

Data = dict[str, Any]

PLACED = "placed"
ESTIMATED, ON_RECORD = "~seen", "~record"
MAX_KEY_LENGTH = 128
GRACE = timedelta(seconds=10)
"""How long a call is kept after the end of its last channel, for late records."""


class Translator:
    """Translates the events of one exchange. Keeps live calls and the keys of ended ones.

    `trunks` are the names of the endpoints that are outside lines.
    """

    def __init__(self, tenant: str, trunks: Collection[str] = ()) -> None:
        self._tenant, self._trunks = tenant, frozenset(trunks)
        self._use(State())

    def _use(self, state: State) -> None:
        self._state, self._exchange, self._clock, self._leaving = state, state.exchange, state.clock, state.leaving
        self._dialing = Dialing(self._exchange, self._clock, self._trunks)
        conversation, records = (
            Conversation(self._exchange, self._clock, self._dialing),
            Records(self._exchange, self._clock),
        )
        self._connection = Connection(self._exchange, self._clock, state.connection, self._dialing, conversation)
        self._handlers: Handlers = {
            **self._connection.handlers,
            **self._dialing.handlers,
            **conversation.handlers,
            **records.handlers,
        }

    def dump(self) -> dict[str, Any]:
        """The state as JSON, without `tenant` and `trunks`: a translator that loads it may have others."""
        return translator_state.dump(self._state)

    def load(self, state: object) -> None:
        """Continue from a result of `dump`. Raises UnreadableState; then nothing has changed."""
        self._use(translator_state.load(state))

    @property
    def clock_offset(self) -> timedelta:
        """By how much the exchange's clock was ahead of ours at the last event."""
        return self._clock.offset

    @property
    def calls(self) -> list[str]:
        """The keys of live calls and of calls that ended just now."""
        return list(self._exchange.calls)

    def is_live(self, key: str) -> bool:
        call = self._exchange.call_named(key)
        return call is not None and not call.is_over

    def feed(self, event: Event, received_at: datetime | None = None) -> list[Report]:
        """The reports that this event makes certain. `received_at` (aware) is used if the stream has no times."""
        handler = self._handlers.get(event.get("event", ""))
        if handler is None:
            return []
        at = self._clock.read(event, received_at)
        handler(event, at)
        self._connection.record_boot_time()
        while self._exchange.changed:
            self._report_call(self._exchange.changed.popitem()[1])
        self._forget_ended(self._clock.latest - GRACE)
        return self._take_reports()

    def finish(self) -> list[Report]:
        """Report pending facts of ended calls at the end of the stream. Live calls stay live."""
        self._forget_ended(self._clock.latest)
        return self._take_reports()

    def _take_reports(self) -> list[Report]:
        reports, self._state.reports = self._state.reports, []
        return reports

    def _forget_ended(self, before: datetime) -> None:
        while self._leaving and self._leaving[0].since <= before:
            call = self._leaving.popleft().call
            if call.is_over:
                self._report_call(call, wait=False)
                self._exchange.forget(call)
            call.leaving = False

    # ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _report_call(self, call: Call, wait: bool = True) -> None:
        """Report all facts that are certain. `wait`: leave facts without an instant to a later record."""
        over = call.is_over
        if over and not call.leaving:
            call.leaving = True
            self._leaving.append(Leaving(self._clock.latest, call))
        if PLACED in call.reported or self._place(call, over):
            self._report_dialing(call)
            self._report_answers(call, wait)
            if over:
                self._report_end(call, wait)

    def _place(self, call: Call, over: bool) -> bool:
        caller = call.caller
        if over and not call.direction:
            call.direction = self._direction_without_dialling(call)
        if caller is None or not call.direction or not (call.callee or call.legs or call.groups or over):
            return False
        first = call.first or caller
        self._report(call, PLACED, first.created_at, self._placed(call, caller), key=PLACED)
        return True

    def _direction_without_dialling(self, call: Call) -> str:
        """The direction if nobody was dialled: by the intended line, or guessed from the numbers."""
        aimed_at_line = any(map(self._dialing.is_trunk, call.targets))
        return self._dialing.guess_direction(call) or (
            OUTBOUND if aimed_at_line or is_outside(call.callee) else INTERNAL
        )

    def _placed(self, call: Call, caller: Channel) -> Data:
        data: Data = {"direction": call.direction, "caller": caller.address, "callee": call.callee or caller.address}
        if call.direction == INBOUND:
            data.update(caller=caller.number, callee=call.dialled, line=call.dialled)
        elif call.reversed:
            data.update(caller=call.callee, callee=caller.dialled_number or caller.address, line=caller.endpoint)
        elif line := self._line(call, caller):
            data["line"] = line
        if caller.caller_name and not call.reversed:
            data["caller_name"] = caller.caller_name
        return data

    def _line(self, call: Call, caller: Channel) -> str:
        """The company's number that an outbound call presents, or the name of its line."""
        if call.direction != OUTBOUND:
            return ""
        if caller.presented_number != caller.number and is_outside(caller.presented_number):
            return caller.presented_number
        lines = (channel.endpoint for channel in call.people if self._dialing.is_line(channel))
        return next(lines, "") or next(filter(self._dialing.is_trunk, call.targets), "")

    def _report_dialing(self, call: Call) -> None:
        caller = call.caller
        for group, at in call.groups.items():
            self._report(call, "connecting", at, {"group": group}, group)
        for channel in call.people:
            if channel.ringing_at and (channel is not caller or _rang_in_vain(call, channel)):
                party = self._party(call, channel)
                self._report(
                    call, "ringing", channel.ringing_at, {"party": party}, channel.uniqueid, f"ringing {party}"
                )

    def _party(self, call: Call, channel: Channel) -> str:
        """A phone's own number; at an outside line the number that was dialled."""
        if not self._dialing.is_line(channel):
            return channel.address
        return channel.dialled_number or (call.callee if call.direction == OUTBOUND else "") or channel.address

    def _report_answers(self, call: Call, wait: bool) -> None:
        caller = call.caller
        for channel in [person for person in call.people if person.talks and person is not caller]:
            at = channel.talk_at or channel.bridged_at or (None if wait else channel.picked_up_at or channel.talk_guess)
            if at:
                self._answer(call, channel, at, ESTIMATED if channel.talk_estimated else "")
            if channel.answer_on_record and (at is None or channel.answer_on_record < at):
                self._answer(call, channel, channel.answer_on_record, ON_RECORD)
        for party, at in call.conference_parties.items():
            self._report_answered(call, at, party, party)

    def _answer(self, call: Call, channel: Channel, at: datetime, how: str) -> None:
        party, of = self._party(call, channel), f"{channel.uniqueid}{how}"
        self._report_answered(call, at, party, of)
        if self._dialing.is_line(channel) and (call.direction != OUTBOUND or call.reached not in ("", party)):
            self._report(call, "forwarded", at, {"to": party, "line": channel.endpoint}, of)
        elif self._dialing.is_line(channel):
            call.reached = party

    def _report_answered(self, call: Call, at: datetime, party: str, of: str) -> None:
        """Two answers at the same instant keep their order in the stream."""
        if f"answered {of}" in call.reported:
            return
        if call.answered_at == at:
            at += MICROSECOND
        call.answered_at = max(call.answered_at or at, at)
        self._report(call, "answered", at, {"party": party}, of, f"answered {of}")

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _report_end(self, call: Call, wait: bool) -> None:
        self._report_offline(call)
        left = [channel.left_at for channel in call.people]
        if call.ended_at or (wait and None in left):
            return
        instants = [at for at in [*left, call.answered_at] if at]
        call.ended_at = max(instants, default=self._clock.latest)
        self._report_menu(call)
        self._report_recording(call, call.ended_at)
        by, cause, sip = ending(call)
        self._report(call, "ended", call.ended_at, {"by": by, "cause": cause, "sip": sip})

    def _report_offline(self, call: Call) -> None:
        """Report targets that got no channel. If none got one, the caller's cause must confirm it."""
        cause = call.caller.cause if call.caller else None
        if not call.legs and cause not in {*NOT_REGISTERED, CONGESTION}:
            return
        for endpoint, at in call.targets.items():
            if endpoint not in call.endpoints and not self._dialing.is_trunk(endpoint):
                self._report(call, "offline", at, {"party": endpoint}, endpoint)
                # In an outbound call, the target may be a line without a free channel that is not named as a trunk.
                if not call.legs and cause == CONGESTION and call.direction != OUTBOUND:
                    call.forced_ending = call.forced_ending or CALLEE_ABSENT

    def _report_menu(self, call: Call) -> None:
        """Report an outside caller whose call only a menu answered."""
        caller = call.caller
        if call.direction == INBOUND and not call.groups and caller and caller.up_at:
            self._report(call, "connecting", caller.up_at, {"group": call.dialled}, call.dialled)

    def _report_recording(self, call: Call, at: datetime) -> None:
        """Report the recording of an answered call. A killed exchange leaves an empty file.

        Without VarSet the name of the file is unknown. The channel's Uniqueid, usually a part of it, replaces it.
        """
        if not call.recording or not call.answered_at or call.forced_ending == KILLED:
            return
        channel, started_at = call.recording
        file = PurePosixPath(channel.recording_file)
        data: Data = {"file": str(file) if file.name else channel.uniqueid, "started_at": _rfc3339(started_at)}
        if file.suffix:
            data["format"] = file.suffix.lstrip(".")
        self._report(call, "recorded", at, data, file.name or channel.uniqueid, "recorded")

    def _report(self, call: Call, kind: str, at: datetime, data: Data, of: str = "", key: str = "") -> None:
        """Add a report, once for each `key`. `of` makes the report_id unique within the call and the type.

        Equal instants are ordered by report_id. The `~` puts reports of partly observed calls last.
        """
        key = key or f"{kind} {of}"
        if key in call.reported:
            return
        call.reported.add(key)
        if call.partly_observed or of.endswith(ESTIMATED):
            of = f"{ESTIMATED}-{_digest(at, data)}-{of.removesuffix(ESTIMATED)}".rstrip("-")
        self._state.reports.append(
            {
                "report_id": _short(f"{call.key}:{kind}:{of}".rstrip(":")),
                "tenant": self._tenant,
                "call": _short(call.key),
                "type": kind,
                "at": _rfc3339(at),
                "data": data,
            }
        )


def translate(connections: Iterable[Iterable[bytes]], translator: Translator) -> Iterator[Report]:
    """The reports of recorded connections to one exchange, each a sequence of chunks, in the order they were made."""
    for chunks in connections:
        stream = AmiStream()
        for chunk in chunks:
            for event in stream.feed(chunk):
                yield from translator.feed(event)
    yield from translator.finish()


def _rang_in_vain(call: Call, caller: Channel) -> bool:
    """Did the exchange ring the caller first, as for click-to-call, without an answer?"""
    return call.is_over and caller.placed_by_exchange and not caller.up_at


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _digest(at: datetime, data: Data) -> str:
    return sha256(repr((at, sorted(data.items()))).encode()).hexdigest()[:12]


def _short(key: str) -> str:
    return key if len(key) <= MAX_KEY_LENGTH else sha256(key.encode()).hexdigest()
