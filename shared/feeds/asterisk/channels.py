"""Channels and bridges of an exchange, as far as a journal needs them."""

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
"""Technologies of channels at whose other end nobody is."""

NO_NUMBER = {"", "<unknown>", "unknown", "anonymous", "restricted", "unavailable"}
NO_EXTENSION = {"", "s", "h", "i", "t", "o", "T", "failed"}
DOWN, RINGING, UP = "0", "5", "6"

BASIC_BRIDGE, CONFERENCE_BRIDGE, HOLDING_TECHNOLOGY = "basic", "base", "holding_bridge"

_NAME = re.compile(r"(?:AsyncGoto/)?(?P<tech>[^/]+)/(?P<endpoint>.+?)(?:-[0-9a-f]+)?(?:;(?P<half>[12]))?$")
_ZOMBIE = "<ZOMBIE>"
_OUTSIDE_NUMBER = re.compile(r"\+?\d{7,15}")
_EXTENSION = re.compile(r"\d{2,6}")
_SAME = 7
"""Digits: numbers that end alike are one, whatever stands before them for a country or an outside line."""
_DIALLED = re.compile(r"(?:[^/]+/){0,2}(?:(?:sips?|tel):)?(?P<number>[^/@]+)@.+|.*/(?:tel:)?(?P<after_line>[^/@]+)")
_ESCAPES = {"n": " ", "r": " ", "t": " ", "a": "", "b": "", "f": "", "v": ""}
_ESCAPED = re.compile(r"\\([nrtabfv\\'\"?])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(slots=True, eq=False)
class Bridge:
    """A room where channels hear each other, except one that only holds them."""

    holds: bool
    conference: bool
    members: dict[str, "Channel"] = field(default_factory=dict)
    left_unseen: dict[str, "Channel"] = field(default_factory=dict)
    """Who left it without having been seen to enter, by Uniqueid."""


@dataclass(slots=True, eq=False)
class Channel:
    """One leg. `number` is what it had at first, `shown` what the dialplan has made of it since."""

    uniqueid: str
    name: str
    call: str
    created_at: datetime
    connection: int
    """The login during which it was first heard of."""
    seen_new: bool = False
    technology: str = ""
    endpoint: str = ""
    is_person: bool = False
    number: str = ""
    shown: str = ""
    caller_name: str = ""
    recording_file: str = ""
    exten: str = ""
    placed_by_exchange: bool = False
    dial_string: str = ""
    bridge: Bridge | None = None
    ringing_at: datetime | None = None
    up_at: datetime | None = None
    """When the exchange itself or a person took it up: a queue's Answer() too."""
    picked_up_at: datetime | None = None
    bridged_at: datetime | None = None
    """What CEL says of these."""
    talks: bool = False
    talk_at: datetime | None = None
    talk_guess: datetime | None = None
    talk_estimated: bool = False
    answer_on_record: datetime | None = None
    """What the call's detail record says of an answer that was not seen."""
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
        """When its far end hung up, or the exchange let it go."""
        return self.requested_at or self.gone_at

    def is_line(self, trunks: Collection[str]) -> bool:
        """Is it an outside line? Named `provider`, or `PJSIP/provider` where one name has two technologies."""
        return self.endpoint in trunks or f"{self.technology}/{self.endpoint}" in trunks

    @property
    def dialled_number(self) -> str:
        """`79990000001` of `79990000001@provider`, `provider/79990000001` and `provider/sip:79990000001@host`."""
        match = _DIALLED.fullmatch(self.dial_string)
        return (match["number"] or match["after_line"]) if match else ""

    @property
    def address(self) -> str:
        """Its own number; the extension it is named after where it presents the company's number or none."""
        if _EXTENSION.fullmatch(self.endpoint) and (not self.number or is_outside(self.number)):
            return self.endpoint
        return self.number or self.shown or self.endpoint


def connected(channel: Channel, by_name: dict[str, Channel]) -> Iterator[Channel]:
    """Who hears `channel`, itself included, through bridges and Local channels."""
    seen, waiting = {channel.uniqueid}, [channel]
    while waiting:
        found = waiting.pop()
        yield found
        for neighbour in _neighbours(found, by_name):
            if neighbour.uniqueid not in seen:
                seen.add(neighbour.uniqueid)
                waiting.append(neighbour)


def _neighbours(channel: Channel, by_name: dict[str, Channel]) -> Iterator[Channel]:
    if channel.bridge and not channel.bridge.holds:
        yield from channel.bridge.members.values()
    if channel.technology == LOCAL and (half := by_name.get(channel.other_half)):
        yield half


def is_outside(number: str) -> bool:
    """Does it look like a number of the public network, longer than any extension?"""
    return bool(_OUTSIDE_NUMBER.fullmatch(number))


def looks_inbound(caller: Channel, number: str, callee: str, dialled: Iterable[str]) -> bool:
    """For exchanges of which no line is named, by either road: `dialled` are the outside numbers that were called.

    A phone may show the company's number, and then calls the number that it dialled; who comes from outside dialled a
    number of the company. One that shows none is believed to come from outside if it dialled such a number.
    """
    if not caller.is_person or _EXTENSION.fullmatch(caller.endpoint):
        return False
    if any(one[-_SAME:] == callee[-_SAME:] for one in dialled):
        return False
    return is_outside(number) if number else is_outside(callee)


def number_of(event: Event, key: str) -> str:
    number = clean(event.get(key, ""))
    return "" if number.lower() in NO_NUMBER else number


def extension_of(event: Event, key: str = "exten") -> str:
    extension = clean(event.get(key, ""))
    return "" if extension in NO_EXTENSION else extension


def name_of(event: Event, key: str) -> str:
    """A person's name: the exchange writes quotes and line feeds in it as C does."""
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
