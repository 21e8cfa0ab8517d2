"""Asterisk's manager events (AMI, versions 16 to 22) into reports.

Decides nothing: what a call comes to is decided by calls. A report is made as soon as its fact is certain and is never
taken back. Of an estimate (`seen`, `record` in the report_id) the instant is never earlier than the fact's, so that
the fact, should another connection have heard it, wins; estimates of two connections, which differ, are two reports.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from shared.feeds.asterisk import translator_state
from shared.feeds.asterisk.call import (
    CONGESTION,
    INBOUND,
    INTERNAL,
    KILLED,
    NOBODY_THERE,
    NOT_REGISTERED,
    OUTBOUND,
    Call,
    ending,
)
from shared.feeds.asterisk.channels import Channel, is_outside
from shared.feeds.asterisk.clock import MICROSECOND
from shared.feeds.asterisk.connection import Connection
from shared.feeds.asterisk.conversation import Talk
from shared.feeds.asterisk.dialing import Search
from shared.feeds.asterisk.exchange_state import Handlers
from shared.feeds.asterisk.records import Records
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator_state import Leaving, State

Report = dict[str, Any]
"""`{report_id, tenant, call, type, at, data}`, JSON as it is; `at` is RFC 3339 in UTC with microseconds."""

Data = dict[str, Any]

PLACED = "placed"
SEEN, ON_RECORD = "~seen", "~record"
MAX_KEY_LENGTH = 128
GRACE = timedelta(seconds=10)
"""How long after its last channel a call is remembered, for the records that come late."""


class Translator:
    """One exchange's events in, reports out; keeps what lives and the keys of what is over.

    `trunks` are the names of the endpoints that are outside lines.
    """

    def __init__(self, tenant: str, trunks: Collection[str] = ()) -> None:
        self._tenant, self._trunks = tenant, frozenset(trunks)
        self._use(State())

    def _use(self, state: State) -> None:
        self._state, self._board, self._clock, self._leaving = state, state.board, state.clock, state.leaving
        self._search = Search(self._board, self._clock, self._trunks)
        talk, records = Talk(self._board, self._clock, self._search), Records(self._board, self._clock)
        self._connection = Connection(self._board, self._clock, state.connection, self._search, talk)
        self._handlers: Handlers = {
            **self._connection.handlers,
            **self._search.handlers,
            **talk.handlers,
            **records.handlers,
        }

    def dump(self) -> dict[str, Any]:
        """What it remembers, as JSON, without `tenant` and `trunks`: a translator that loads it may have others."""
        return translator_state.dump(self._state)

    def load(self, state: object) -> None:
        """Go on from what `dump` gave. Raises UnreadableState; then nothing has changed."""
        self._use(translator_state.load(state))

    @property
    def clock_offset(self) -> timedelta:
        """By how much the exchange's clock was ahead of ours at the last event."""
        return self._clock.off

    @property
    def calls(self) -> list[str]:
        """The keys of the calls that are remembered."""
        return list(self._board.calls)

    def is_live(self, key: str) -> bool:
        call = self._board.call_named(key)
        return call is not None and not call.is_over

    def feed(self, event: Event, received_at: datetime | None = None) -> list[Report]:
        """The reports that this event makes certain. `received_at` (aware) helps where the stream tells no time."""
        handler = self._handlers.get(event.get("event", ""))
        if handler is None:
            return []
        at = self._clock.read(event, received_at)
        handler(event, at)
        self._connection.tell_boot()
        while self._board.touched:
            self._tell(self._board.touched.popitem()[1])
        self._let_go(self._clock.latest - GRACE)
        return self._take()

    def finish(self) -> list[Report]:
        """The stream is at its end: what waited for more to be told is reported as known. Live calls stay live."""
        self._let_go(self._clock.latest)
        return self._take()

    def _take(self) -> list[Report]:
        reports, self._state.reports = self._state.reports, []
        return reports

    def _let_go(self, before: datetime) -> None:
        while self._leaving and self._leaving[0].since <= before:
            call = self._leaving.popleft().call
            if call.is_over:
                self._tell(call, wait=False)
                self._board.forget(call)
            call.leaving = False

    # ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, call: Call, wait: bool = True) -> None:
        """All that has become certain. `wait`: for the record that tells when, where the event did not."""
        over = call.is_over
        if over and not call.leaving:
            call.leaving = True
            self._leaving.append(Leaving(self._clock.latest, call))
        if PLACED in call.said or self._place(call, over):
            self._tell_search(call)
            self._tell_answers(call, wait)
            if over:
                self._tell_end(call, wait)

    def _place(self, call: Call, over: bool) -> bool:
        caller = call.caller
        if over and not call.direction:
            call.direction = self._last_resort(call)
        if caller is None or not call.direction or not (call.callee or call.legs or call.groups or over):
            return False
        first = call.first or caller
        self._say(call, PLACED, first.created_at, self._placed(call, caller), key=PLACED)
        return True

    def _last_resort(self, call: Call) -> str:
        """Nobody was dialled: the line that should have been tells, or the look of the number."""
        aimed_at_line = any(map(self._search.is_trunk, call.targets))
        return self._search.guess(call) or (OUTBOUND if aimed_at_line or is_outside(call.callee) else INTERNAL)

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
        """The company's number that an outbound call shows, or the name of the line it takes."""
        if call.direction != OUTBOUND:
            return ""
        if caller.shown != caller.number and is_outside(caller.shown):
            return caller.shown
        lines = (channel.endpoint for channel in call.people if self._search.is_line(channel))
        return next(lines, "") or next(filter(self._search.is_trunk, call.targets), "")

    def _tell_search(self, call: Call) -> None:
        caller = call.caller
        for group, at in call.groups.items():
            self._say(call, "connecting", at, {"group": group}, group)
        for channel in call.people:
            if channel.ringing_at and (channel is not caller or _rang_in_vain(call, channel)):
                party = self._party(call, channel)
                self._say(call, "ringing", channel.ringing_at, {"party": party}, channel.uniqueid, f"ringing {party}")

    def _party(self, call: Call, channel: Channel) -> str:
        """A phone's own number; at an outside line the number that was dialled."""
        if not self._search.is_line(channel):
            return channel.address
        return channel.dialled_number or (call.callee if call.direction == OUTBOUND else "") or channel.address

    def _tell_answers(self, call: Call, wait: bool) -> None:
        caller = call.caller
        for channel in [one for one in call.people if one.talks and one is not caller]:
            at = channel.talk_at or channel.bridged_at or (None if wait else channel.picked_up_at or channel.talk_guess)
            if at:
                self._answer(call, channel, at, SEEN if channel.talk_estimated else "")
            if channel.answer_on_record and (at is None or channel.answer_on_record < at):
                self._answer(call, channel, channel.answer_on_record, ON_RECORD)
        for party, at in call.met.items():
            self._say_answered(call, at, party, party)

    def _answer(self, call: Call, channel: Channel, at: datetime, how: str) -> None:
        party, of = self._party(call, channel), f"{channel.uniqueid}{how}"
        self._say_answered(call, at, party, of)
        if self._search.is_line(channel) and (call.direction != OUTBOUND or call.reached not in ("", party)):
            self._say(call, "forwarded", at, {"to": party, "line": channel.endpoint}, of)
        elif self._search.is_line(channel):
            call.reached = party

    def _say_answered(self, call: Call, at: datetime, party: str, of: str) -> None:
        """Of two answers in one instant the first in the stream stays the first."""
        if f"answered {of}" in call.said:
            return
        if call.answered_at == at:
            at += MICROSECOND
        call.answered_at = max(call.answered_at or at, at)
        self._say(call, "answered", at, {"party": party}, of, f"answered {of}")

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell_end(self, call: Call, wait: bool) -> None:
        self._tell_offline(call)
        left = [channel.left_at for channel in call.people]
        if call.ended_at or (wait and None in left):
            return
        instants = [at for at in [*left, call.answered_at] if at]
        call.ended_at = max(instants, default=self._clock.latest)
        self._tell_menu(call)
        self._tell_recording(call, call.ended_at)
        by, cause, sip = ending(call)
        self._say(call, "ended", call.ended_at, {"by": by, "cause": cause, "sip": sip})

    def _tell_offline(self, call: Call) -> None:
        """Who was to be dialled and got no channel. Where nobody got one, the cause must say that it was for this."""
        cause = call.caller.cause if call.caller else None
        if not call.legs and cause not in {*NOT_REGISTERED, CONGESTION}:
            return
        for endpoint, at in call.targets.items():
            if endpoint not in call.endpoints and not self._search.is_trunk(endpoint):
                self._say(call, "offline", at, {"party": endpoint}, endpoint)
                # Of a line that nobody named as one, it is the line that had no room.
                if not call.legs and cause == CONGESTION and call.direction != OUTBOUND:
                    call.forced_ending = call.forced_ending or NOBODY_THERE

    def _tell_menu(self, call: Call) -> None:
        """A caller from outside whom only a menu took up."""
        caller = call.caller
        if call.direction == INBOUND and not call.groups and caller and caller.up_at:
            self._say(call, "connecting", caller.up_at, {"group": call.dialled}, call.dialled)

    def _tell_recording(self, call: Call, at: datetime) -> None:
        """Only talk is worth a report, and a killed exchange leaves an empty file.

        Without VarSet the file's name is unknown: the channel's Uniqueid, which file names usually hold, finds it.
        """
        if not call.recording or not call.answered_at or call.forced_ending == KILLED:
            return
        channel, started_at = call.recording
        file = PurePosixPath(channel.recording_file)
        data: Data = {"file": str(file) if file.name else channel.uniqueid, "started_at": _rfc3339(started_at)}
        if file.suffix:
            data["format"] = file.suffix.lstrip(".")
        self._say(call, "recorded", at, data, file.name or channel.uniqueid, "recorded")

    def _say(self, call: Call, kind: str, at: datetime, data: Data, of: str = "", key: str = "") -> None:
        """Once for each `key`; `of` makes the report_id unique within the call and the type.

        Equal instants are ordered by their report_id, so that of a call that was heard by half begins with a `~`.
        """
        key = key or f"{kind} {of}"
        if key in call.said:
            return
        call.said.add(key)
        if call.half_heard or of.endswith(SEEN):
            of = f"{SEEN}-{_digest(at, data)}-{of.removesuffix(SEEN)}".rstrip("-")
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
    """The exchange rang the caller first, as for a click on a number, and nobody took it up."""
    return call.is_over and caller.placed_by_exchange and not caller.up_at


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _digest(at: datetime, data: Data) -> str:
    return sha256(repr((at, sorted(data.items()))).encode()).hexdigest()[:12]


def _short(key: str) -> str:
    return key if len(key) <= MAX_KEY_LENGTH else sha256(key.encode()).hexdigest()
