"""Translate the detail records of one call into reports.

A detail record has less information than the events: never who ended a conversation, seldom why nobody answered, and
only whole seconds. The rest is inferred from the dialplan. If Dial() ends before its timeout and the dialplan stops,
the caller hung up. If Dial() fails at once, nobody was reached. If it fails later, the party that rang declined.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

from shared.feeds.asterisk.call import CALLEE, CALLER, INBOUND, INTERNAL, OUTBOUND, SYSTEM, UNKNOWN, Ending
from shared.feeds.asterisk.cdr_csv import Row
from shared.feeds.asterisk.channels import (
    LOCAL,
    NO_EXTENSION,
    NO_NUMBER,
    Channel,
    clean,
    endpoints_of,
    is_outside,
    looks_inbound,
)
from shared.feeds.asterisk.clock import EPOCH, ZONE_STEP, created_at
from shared.feeds.asterisk.translator import Report

BUSY, REJECTED, CONGESTION, NO_ROUTE, NO_ANSWER, CLEARING = 17, 21, 34, 3, 19, 16
DIAL, QUEUE = "Dial", "Queue"
DIALLED_IN = "did:"
"""The prefix in `userfield` of the number dialled from outside, if the dialplan sets it."""
MAX_KEY_LENGTH = 128
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Settings of the exchange that its rows do not contain.

    `trunks` are the endpoints that are outside lines, `phones` the numbers of endpoints that are not named after them,
    `zone` is that of its wall clock, needed only if uniqueids contain no epoch.
    """

    tenant: str
    trunks: Collection[str] = ()
    phones: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC


def translate(key: str, rows: Sequence[Row], exchange: Exchange) -> list[Report]:
    """The reports of a call; the same rows give the same reports with the same ids."""
    return [*_Call(key, rows, exchange)]


class _Call:
    def __init__(self, key: str, rows: Sequence[Row], exchange: Exchange) -> None:
        self.exchange, self.rows = exchange, sorted(rows, key=lambda row: (row.start, row.end))
        self.key = key if len(key) <= MAX_KEY_LENGTH else sha256(key.encode()).hexdigest()
        self.mark = sha256(repr(self.rows).encode()).hexdigest()[:12]
        self.first = self.rows[0]
        self.caller = _channel(self.first.channel)
        self.attempts = [row for row in self.rows if row.lastapp in (DIAL, QUEUE)]
        self.number = 0

    def __iter__(self) -> Iterator[Report]:
        yield self._report("placed", self.first.start, self._placed())
        if self.direction == INBOUND and self.attempts:
            yield self._report("connecting", self.attempts[0].start, {"group": self._group(self.attempts[0])})
        elif queued := next((row for row in self.attempts if row.lastapp == QUEUE), None):
            yield self._report("connecting", queued.start, {"group": self._group(queued)})
        for row in self.attempts:
            yield from self._row_reports(row)
        yield from self._offline()
        by, cause, _ = self._ending()
        yield self._report("ended", max(row.end for row in self.rows), {"by": by, "cause": cause})

    # ── who called whom ──────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def direction(self) -> str:
        if self._is_trunk(self.caller):
            return INBOUND
        if not self.exchange.trunks:
            return self._guess_direction()
        reached = [_channel(row.dstchannel) for row in self.attempts if row.dstchannel]
        targets = [endpoint for row in self.attempts for endpoint in endpoints_of(row.lastdata) if row.lastapp == DIAL]
        out = all(map(self._is_trunk, reached)) if reached else bool(targets) and self._all_trunks(targets)
        tried = any(self._all_trunks(endpoints_of(row.lastdata)) for row in self.attempts if row.lastapp == DIAL)
        return OUTBOUND if out or (tried and is_outside(self.first.dst)) else INTERNAL

    def _guess_direction(self) -> str:
        """Guess the direction from the numbers if no trunks are named, as for live calls."""
        dialled = [_dialled(row) for row in self.attempts]
        number = "" if self.first.src.lower() in NO_NUMBER else self.first.src
        if looks_inbound(self.caller, number, self.first.dst, filter(is_outside, dialled)):
            return INBOUND
        out = is_outside(self.first.dst) or (dialled and all(map(is_outside, dialled)))
        return OUTBOUND if out else INTERNAL

    def _all_trunks(self, endpoints: Sequence[str]) -> bool:
        return bool(endpoints) and all(endpoint in self.exchange.trunks for endpoint in endpoints)

    def _is_trunk(self, channel: Channel) -> bool:
        return channel.is_line(self.exchange.trunks)

    def _reached_outside(self, row: Row) -> bool:
        """Was the far end an outside line, or without named trunks an outside number?"""
        return self._is_trunk(_channel(row.dstchannel)) if self.exchange.trunks else is_outside(_dialled(row))

    @property
    def callee(self) -> str:
        if self.first.userfield.startswith(DIALLED_IN):
            return clean(self.first.userfield.removeprefix(DIALLED_IN))
        dialled = next((row.dst for row in self.rows if row.dst not in NO_EXTENSION), "")
        fallback = self.caller.endpoint if self.direction == INBOUND else self.first.src
        return dialled or fallback or "unknown"

    def _placed(self) -> dict[str, Any]:
        presented = "" if self.first.src.lower() in NO_NUMBER else self.first.src
        own = self._phone(self.caller) if self.direction != INBOUND else ""
        data: dict[str, str | None] = {"direction": self.direction, "caller": own or presented, "callee": self.callee}
        if self.direction == INBOUND:
            data["line"] = self.callee
        elif self.direction == OUTBOUND and is_outside(presented):
            data["line"] = presented
        elif self.direction == OUTBOUND:
            data["line"] = (
                next((_channel(row.dstchannel).endpoint for row in self.attempts if row.dstchannel), "") or None
            )
        name = clean(self.first.clid.rpartition("<")[0].strip().strip('"').replace('""', '"'))
        if name and name not in (presented, self.callee):
            data["caller_name"] = name
        return {key: value for key, value in data.items() if value is not None}

    def _phone(self, channel: Channel) -> str:
        """The number of an internal phone, from its name or the settings; "" if unknown."""
        number = self.exchange.phones.get(channel.endpoint, "")
        if number or channel.technology != LOCAL:
            return number or (channel.endpoint if channel.endpoint.isdecimal() else "")
        return self._extension_of_local(channel)

    def _extension_of_local(self, channel: Channel) -> str:
        """`Local/101@from-internal` leads to extension 101."""
        extension = channel.endpoint.partition("@")[0]
        return self.exchange.phones.get(extension, extension)

    # ── whom it dialled ──────────────────────────────────────────────────────────────────────────────────────────────

    def _group(self, row: Row) -> str:
        return clean(row.lastdata.partition(",")[0]) if row.lastapp == QUEUE else self.callee

    def _party(self, row: Row) -> str:
        channel = _channel(row.dstchannel)
        if self._reached_outside(row):
            return _dialled(row) or (self.callee if self.direction == OUTBOUND else "") or channel.endpoint
        return self._phone(channel) or channel.endpoint

    def _row_reports(self, row: Row) -> Iterator[Report]:
        if not row.dstchannel:
            return
        party = self._party(row)
        if _rang(row):
            yield self._report("ringing", row.start, {"party": party})
        if row.disposition == "ANSWERED" and row.answer:
            at = self._picked_up_at(row, row.answer)
            yield self._report("answered", at, {"party": party})
            if self.direction == INBOUND and self._reached_outside(row):
                yield self._report("forwarded", at, {"to": party, "line": _channel(row.dstchannel).endpoint})

    def _picked_up_at(self, row: Row, answer: datetime) -> datetime:
        """When a person answered. A queue's or menu's Answer() is earlier: other phones stop ringing at the pick-up."""
        stopped = [other.end for other in self.attempts if other.disposition == "NO ANSWER" and other.end <= row.end]
        return max([answer, *stopped])

    def _offline(self) -> Iterator[Report]:
        for row in self.attempts:
            if row.disposition == "FAILED" and not row.dstchannel and row.lastapp == DIAL:
                for endpoint in endpoints_of(row.lastdata):
                    if endpoint not in self.exchange.trunks:
                        party = self.exchange.phones.get(endpoint, endpoint)
                        yield self._report("offline", row.start, {"party": party})

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ending(self) -> Ending:
        if any(row.disposition == "ANSWERED" and row.dstchannel for row in self.attempts):
            return Ending(UNKNOWN, CLEARING)
        if not self.attempts:
            return Ending(SYSTEM if self.rows[-1].lastapp == "Hangup" else CALLER, CLEARING)
        last = self.attempts[-1]
        continued = any(row is not last and row.start >= last.end for row in self.rows if row not in self.attempts)
        match last.disposition:
            case "BUSY":
                return Ending(CALLEE, BUSY)
            case "CONGESTION":
                return Ending(SYSTEM, CONGESTION)
            case "FAILED":
                return Ending(SYSTEM, NO_ROUTE)
        return self._ending_without_answer(last, continued)

    def _ending_without_answer(self, last: Row, continued: bool) -> Ending:
        waited, timeout = last.end - last.start, _dial_timeout(last)
        if timeout and waited >= timeout - SECOND:
            return Ending(SYSTEM, NO_ANSWER)
        if not continued:
            return Ending(CALLER, CLEARING)
        return Ending(CALLEE, REJECTED) if _rang(last) and timeout else Ending(SYSTEM, NO_ROUTE)

    # ── a report ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _zone_offset(self) -> timedelta | None:
        """The offset from UTC: a call's first row and the epoch in its uniqueid are the same instant."""
        created = created_at(self.first.uniqueid)
        return round((self.first.start.replace(tzinfo=UTC) - created) / ZONE_STEP) * ZONE_STEP if created else None

    def _instant(self, reading: datetime) -> str:
        """The end of the recorded second: the live reports of the same call are earlier, and win."""
        if self._zone_offset is None:
            at = reading.replace(tzinfo=self.exchange.zone).astimezone(UTC)
        else:
            at = reading - self._zone_offset
        return f"{at.replace(tzinfo=None).isoformat()}.999999Z"

    def _report(self, type_: str, at: datetime, data: dict[str, Any]) -> Report:
        self.number += 1
        # The instants differ from those of earlier reports with ids of `csv`, so the ids differ too.
        report_id = f"{self.key[:96]}:csv2:{self.mark}:{self.number}"
        tenant = self.exchange.tenant
        return {
            "report_id": report_id,
            "tenant": tenant,
            "call": self.key,
            "type": type_,
            "at": self._instant(at),
            "data": data,
        }


@lru_cache(maxsize=1024)
def _channel(name: str) -> Channel:
    """A channel of this name. It is cached: do not change it."""
    channel = Channel(uniqueid="", name="", call="", created_at=EPOCH, connection=0)
    channel.rename(name)
    return channel


def _dialled(row: Row) -> str:
    return _number_of(row.lastdata, _channel(row.dstchannel).endpoint) if row.lastapp == DIAL else ""


@lru_cache(maxsize=1024)
def _number_of(dial: str, reached: str) -> str:
    """`79990000001` of `PJSIP/79990000001@provider,20` and `SIP/provider/79990000001`; of many the one reached."""
    targets = dial.partition(",")[0].split("&")
    channel = Channel(uniqueid="", name="", call="", created_at=EPOCH, connection=0)
    channel.dial_string = clean(next((target for target in targets if endpoints_of(target) == [reached]), targets[0]))
    return channel.dialled_number


def _rang(row: Row) -> bool:
    if row.disposition == "NO ANSWER":
        return row.lastapp == QUEUE or row.end > row.start
    return row.disposition == "ANSWERED"


def _dial_timeout(row: Row) -> timedelta | None:
    """The timeout argument of Dial() or Queue()."""
    arguments = row.lastdata.split(",")
    number = {DIAL: 1, QUEUE: 4}[row.lastapp]
    text = arguments[number].strip() if len(arguments) > number else ""
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 7 else None
