"""Split the bytes of an Asterisk Manager Interface connection into events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Event = Mapping[str, str]
"""The fields of one event or response: keys in lower case, of repeated keys the first."""

MAX_BLOCK_SIZE = 1 << 20
"""Bytes. A longer block without an end is dropped."""

_GREETING = re.compile(r"Asterisk Call Manager/[\d.]+\r?\n(?=Response:)")
_BLOCK_END = re.compile(rb"\r?\n\r?\n")
_FALLBACK_ENCODING = "cp1251"
_BROKEN = "\ufffd"


@dataclass(slots=True, eq=False)
class AmiStream:
    """Takes chunks of any size and returns complete events. An incomplete event is kept for the next chunk."""

    _rest: bytes = b""

    def feed(self, chunk: bytes) -> list[Event]:
        *blocks, rest = _BLOCK_END.split(self._rest + chunk)
        self._rest = rest if len(rest) <= MAX_BLOCK_SIZE else b""
        return [event for event in map(_parse, blocks) if event]


def _parse(block: bytes) -> Event:
    """The fields of a block. Text before a greeting is an incomplete event of the previous connection: drop it."""
    fields: dict[str, str] = {}
    for line in _GREETING.split(_decode(block))[-1].split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip().lower(), value.strip())
    return fields


def _decode(block: bytes) -> str:
    try:
        return block.decode()
    except UnicodeDecodeError:
        return "\n".join(map(decode_line, block.split(b"\n")))


def decode_line(line: bytes) -> str:
    """Decode UTF-8, without a last letter that is truncated; decode other encodings as cp1251."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
    broken = text.count(_BROKEN)
    letters = sum(not letter.isascii() for letter in text) - broken
    if letters > broken:
        return text
    return line.decode(_FALLBACK_ENCODING, errors="replace")
