"""WAV, read in pieces: where its sound lies, how long it is and how loud, without ever holding it."""

import struct
from datetime import timedelta
from typing import BinaryIO, NamedTuple

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
BY_SAMPLE = frozenset({PCM, FLOAT, ALAW, MULAW})
"""Of these a frame is one sample of all channels; of others, such as GSM and ADPCM, a block of hundreds."""
MOST_CHUNKS = 64
"""The sound comes after a few chunks of words; where there are more it is not looked for."""
START, CHUNK, DESCRIPTION, CODE = 12, struct.Struct("<4sI"), struct.Struct("<HHIIHH"), struct.Struct("<H")
CODE_OF_EXTENSIBLE = slice(24, 26)
PIECE = 64 * 1024
"""Bytes of each part of the sound that are looked at: whole calls of half an hour, the beginnings of longer parts."""


class Damaged(Exception):
    """It is broken off, or makes no sense."""


class Wav(NamedTuple):
    """`code`: how samples are written. In bytes: `frame`: one sample of all channels, or a block; `pace`: a second.

    `begins`, `length`: in bytes too.
    """

    code: int
    bits: int
    rate: int
    pace: int
    frame: int
    begins: int
    length: int

    @property
    def duration(self) -> timedelta:
        if self.code in BY_SAMPLE:
            return timedelta(seconds=self.length // self.frame / self.rate)
        return timedelta(seconds=self.length / self.pace)


def read(file: BinaryIO, size: int) -> Wav:
    """Raises Damaged."""
    file.seek(START)
    description = b""
    for _ in range(MOST_CHUNKS):
        head = file.read(CHUNK.size)
        if len(head) < CHUNK.size:
            break
        name, length = CHUNK.unpack(head)
        begins = file.tell()
        if begins + length > size:
            raise Damaged("It is broken off before its end.")
        if name == b"data":
            return _wav(description, begins, length)
        if name == b"fmt ":
            description = file.read(min(length, CODE_OF_EXTENSIBLE.stop))
        file.seek(begins + length + length % 2)
    raise Damaged("There is no sound in it.")


def _wav(description: bytes, begins: int, length: int) -> Wav:
    if len(description) < DESCRIPTION.size:
        raise Damaged("Nothing in it says how its sound is written.")
    code, channels, rate, pace, frame, bits = DESCRIPTION.unpack_from(description)
    if code == EXTENSIBLE and len(description) == CODE_OF_EXTENSIBLE.stop:
        [code] = CODE.unpack(description[CODE_OF_EXTENSIBLE])
    if not (channels and rate and frame and length >= frame):
        raise Damaged("There is no sound in it.")
    if not pace if code not in BY_SAMPLE else frame < channels * bits // 8:
        raise Damaged("What it says of its sound makes no sense.")
    return Wav(code, bits, rate, pace, frame, begins, length - length % frame)


def peaks(file: BinaryIO, wav: Wav, parts: int) -> list[int] | None:
    """How loud each of at most `parts` equal parts is, 0 to 255; None for samples that are written otherwise."""
    loudness, width = LOUDNESS.get((wav.code, wav.bits)), wav.bits // 8
    if loudness is None:
        return None
    frames = wav.length // wav.frame
    parts = min(parts, frames)
    found = []
    for part in range(parts):
        first, end = frames * part // parts, frames * (part + 1) // parts
        file.seek(wav.begins + first * wav.frame)
        piece = file.read(min((end - first) * wav.frame, PIECE - PIECE % wav.frame or wav.frame))
        # Of each sample its most significant byte.
        found.append(max(piece[width - 1 :: width].translate(loudness)))
    return found


def _magnitudes(values: list[int], most: int) -> bytes:
    return bytes(min(255, abs(value) * 255 // most) for value in values)


def _mulaw(byte: int) -> int:
    inverted = byte ^ 0xFF
    return (((inverted & 0x0F) << 3) + 0x84 << (inverted >> 4 & 7)) - 0x84


def _alaw(byte: int) -> int:
    inverted = byte ^ 0x55
    exponent, mantissa = inverted >> 4 & 7, (inverted & 0x0F) << 4
    return mantissa + 8 if exponent == 0 else mantissa + 0x108 << exponent - 1


SIGNED = _magnitudes([byte - 256 if byte > 127 else byte for byte in range(256)], 127)
LOUDNESS = {
    (PCM, 8): _magnitudes([byte - 128 for byte in range(256)], 127),
    (PCM, 16): SIGNED,
    (PCM, 24): SIGNED,
    (PCM, 32): SIGNED,
    (MULAW, 8): _magnitudes([_mulaw(byte) for byte in range(256)], 32124),
    (ALAW, 8): _magnitudes([_alaw(byte) for byte in range(256)], 32256),
}
"""By how samples are written, how loud each byte of them is: ITU-T G.711 for the telephone's own two."""
