"""Channels and bridges of an exchange, with the fields that reports need."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.feeds.asterisk.stream import Event

MAX_TEXT_LENGTH = 256
LOCAL = "Local"
VIRTUAL_TECHNOLOGIES = {
    LOCAL,
    "Announcer",
    "AudioSocket",
    "CBAnn",
    "CBRec",
    "Message",
    "MulticastRTP",
    "Recorder",
    "Snoop",
    "Surrogate",
}
"""Technologies of channels without a person at the other end."""

NO_NUMBER = {"", "<unknown>", "unknown", "anonymous", "restricted", "unavailable"}
NO_EXTENSION = {"", "s", "h", "i", "t", "o", "T", "failed"}
DOWN, RINGING, UP = "0", "5", "6"

BASIC_BRIDGE, CONFERENCE_BRIDGE, HOLDING_TECHNOLOGY = "basic", "base", "holding_bridge"

_NAME = re.compile(r"(?:AsyncGoto/)?(?P<tech>[^/]+)/(?P<endpoint>.+?)(?:-[0-9a-f]+)?(?:;(?P<half>[12]))?$")
_ZOMBIE = "<ZOMBIE>"
_OUTSIDE_NUMBER = re.compile(r"\+?\d{7,15}")
_EXTENSION = re.compile(r"\d{2,6}")
_MATCHING_DIGITS = 7
"""Last digits to compare: prefixes for a country or an outside line differ."""
_DIALLED = re.compile(r"(?:[^/]+/){0,2}(?:(?:sips?|tel):)?(?P<number>[^/@]+)@.+|.*/(?:tel:)?(?P<after_line>[^/@]+)")
_ESCAPES = {"n": " ", "r": " ", "t": " ", "a": "", "b": "", "f": "", "v": ""}
_ESCAPED = re.compile(r"\\([nrtabfv\\'\"?])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(slots=True, eq=False)
class Bridge:
    """Connects the audio of its members, unless it only holds them."""

    holds: bool
    conference: bool
    members: dict[str, "Channel"] = field(default_factory=dict)
    left_without_entry: dict[str, "Channel"] = field(default_factory=dict)
    """Channels that left without an observed entry, by Uniqueid."""


@dataclass(slots=True, eq=False)
class Channel:
    """One leg. `number` is its first caller number, `presented_number` the one the dialplan has set since."""

    uniqueid: str
    name: str
    call: str
    created_at: datetime
    connection: int
    """The number of the login during which it was first observed."""
    seen_new: bool = False
    technology: str = ""
    endpoint: str = ""
    is_person: bool = False
    number: str = ""
    presented_number: str = ""
    caller_name: str = ""
    recording_file: str = ""
    exten: str = ""
    placed_by_exchange: bool = False
    dial_string: str = ""
    bridge: Bridge | None = None
    ringing_at: datetime | None = None
    up_at: datetime | None = None
    """When it was answered, by a person or by the exchange (a queue's Answer())."""
    picked_up_at: datetime | None = None
    bridged_at: datetime | None = None
    """Times from CEL."""
    talks: bool = False
    talk_at: datetime | None = None
    talk_guess: datetime | None = None
    talk_estimated: bool = False
    answer_on_record: datetime | None = None
    """The answer time of the detail record, for an answer that was not observed."""
    stepped_out: bool = False
    requested_at: datetime | None = None
    requested: bool = False
    unbridged_at: datetime | None = None
    cause: int | None = None
    sip: int | None = None
    gone: bool = False
    gone_at: datetime | None = None

    def rename(self, name: str) -> None:
        """`PJSIP/bob-00000009` is a channel of the endpoint `bob`."""
        self.name = name
        match = _NAME.match(name)
        self.technology, self.endpoint = (match["tech"], match["endpoint"]) if match else ("", name)
        self.is_person = self.technology not in VIRTUAL_TECHNOLOGIES and not name.endswith(_ZOMBIE)

    @property
    def other_half(self) -> str:
        """The name of the other end of a Local channel."""
        return self.name[:-1] + {"1": "2", "2": "1"}.get(self.name[-1], "")

    @property
    def leaving(self) -> bool:
        return self.gone or self.requested

    @property
    def left_at(self) -> datetime | None:
        """When its far end hung up, or the exchange released it."""
        return self.requested_at or self.gone_at

    def is_line(self, trunks: Collection[str]) -> bool:
        """Is it an outside line? `trunks` has `provider`, or `PJSIP/provider` if two technologies share the name."""
        return self.endpoint in trunks or f"{self.technology}/{self.endpoint}" in trunks

    @property
    def dialled_number(self) -> str:
        """`79990000001` of `79990000001@provider`, `provider/79990000001` and `provider/sip:79990000001@host`."""
        match = _DIALLED.fullmatch(self.dial_string)
        return (match["number"] or match["after_line"]) if match else ""

    @property
    def address(self) -> str:
        """Its own number, or its endpoint's extension if it presents the company's number or none."""
        if _EXTENSION.fullmatch(self.endpoint) and (not self.number or is_outside(self.number)):
            return self.endpoint
        return self.number or self.presented_number or self.endpoint


def connected(channel: Channel, by_name: dict[str, Channel]) -> Iterator[Channel]:
    """The channels connected to `channel` through bridges and Local channels, itself included."""
    seen, pending = {channel.uniqueid}, [channel]
    while pending:
        current = pending.pop()
        yield current
        for neighbour in _neighbours(current, by_name):
            if neighbour.uniqueid not in seen:
                seen.add(neighbour.uniqueid)
                pending.append(neighbour)


def _neighbours(channel: Channel, by_name: dict[str, Channel]) -> Iterator[Channel]:
    if channel.bridge and not channel.bridge.holds:
        yield from channel.bridge.members.values()
    if channel.technology == LOCAL and (half := by_name.get(channel.other_half)):
        yield half


def is_outside(number: str) -> bool:
    """Has it the form of a public number, longer than any extension?"""
    return bool(_OUTSIDE_NUMBER.fullmatch(number))


def looks_inbound(caller: Channel, number: str, callee: str, dialled: Iterable[str]) -> bool:
    """Guess whether a call is inbound, for exchanges without named trunks. `dialled` are the outside numbers called.

    A phone may present the company's number; then one of `dialled` is the callee. An outside caller has dialled a
    number of the company. A caller without a number counts as outside if the callee is an outside number.
    """
    if not caller.is_person or _EXTENSION.fullmatch(caller.endpoint):
        return False
    if any(outside[-_MATCHING_DIGITS:] == callee[-_MATCHING_DIGITS:] for outside in dialled):
        return False
    return is_outside(number) if number else is_outside(callee)


def number_of(event: Event, key: str) -> str:
    number = clean(event.get(key, ""))
    return "" if number.lower() in NO_NUMBER else number


def extension_of(event: Event, key: str = "exten") -> str:
    extension = clean(event.get(key, ""))
    return "" if extension in NO_EXTENSION else extension


def name_of(event: Event, key: str) -> str:
    """A person's name. The exchange escapes quotes and line feeds like C."""
    text = _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), event.get(key, ""))
    name = clean(text)
    return "" if name in NO_NUMBER else name


def clean(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:MAX_TEXT_LENGTH]


def endpoints_of(dial: str) -> list[str]:
    """The endpoints of Dial()'s first argument: `PJSIP/bob&PJSIP/79990000001@provider,20` are `bob` and `provider`."""
    targets = dial.partition(",")[0].split("&")
    return [endpoint for target in targets if (endpoint := _endpoint(target))]


def _endpoint(target: str) -> str:
    technology, _, resource = target.strip().partition("/")
    if technology in VIRTUAL_TECHNOLOGIES or not resource:
        return ""
    first = resource.partition("/")[0]
    return clean(first.rpartition("@")[2])
