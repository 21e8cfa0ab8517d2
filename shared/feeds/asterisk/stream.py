"""The bytes of an Asterisk Manager Interface connection, cut into events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Event = Mapping[str, str]
"""The fields of one event or response: keys in lower case (`Uniqueid` is `UniqueID`), of equal keys the first."""

MAX_BLOCK_SIZE = 1 << 20
"""Bytes. What grows beyond it without an end is no event."""

_GREETING = re.compile(r"Asterisk Call Manager/[\d.]+\r?\n(?=Response:)")
_BLOCK_END = re.compile(rb"\r?\n\r?\n")
_FALLBACK_ENCODING = "cp1251"
_BROKEN = "\ufffd"


@dataclass(slots=True, eq=False)
class AmiStream:
    """Takes chunks of any size, gives whole events; the unfinished one waits for its end and is never guessed at."""

    _rest: bytes = b""

    def feed(self, chunk: bytes) -> list[Event]:
        *blocks, rest = _BLOCK_END.split(self._rest + chunk)
        self._rest = rest if len(rest) <= MAX_BLOCK_SIZE else b""
        return [event for event in map(_parse, blocks) if event]


def _parse(block: bytes) -> Event:
    """What stands before a greeting was left unfinished by the connection before."""
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
    """UTF-8; a name cut in the middle of a letter loses that letter, a name in another encoding is read as cp1251."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
    broken = text.count(_BROKEN)
    letters = sum(not letter.isascii() for letter in text) - broken
    if letters > broken:
        return text
    return line.decode(_FALLBACK_ENCODING, errors="replace")
