"""The headers of a WAV file: where its samples are and how long it plays.

libsndfile plays a truncated file without an error, so the headers are checked here before it decodes the samples.
"""

import struct
from datetime import timedelta
from typing import BinaryIO, NamedTuple

from shared.contracts.error_codes import english

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
SAMPLE_CODES = frozenset({PCM, FLOAT, ALAW, MULAW})
"""In these formats a frame is one sample of all channels. In others, such as GSM and ADPCM, a block of samples."""
MAX_CHUNKS = 64
"""Chunks that are read in search of `data`."""
FIRST_CHUNK = 12
CHUNK_HEADER, FMT_CHUNK, FORMAT_CODE = struct.Struct("<4sI"), struct.Struct("<HHIIHH"), struct.Struct("<H")
EXTENSIBLE_FORMAT_CODE = slice(24, 26)


class DamagedFile(Exception):
    """The file is truncated or its headers are inconsistent; `code` is the error code."""

    def __init__(self, code: str = "recording_damaged") -> None:
        super().__init__(english(code, {}))
        self.code = code


class WavInfo(NamedTuple):
    """`code` is that of the `fmt` chunk; `byte_rate`, `frame_size`, `data_offset` and `data_size` are in bytes."""

    code: int
    sample_rate: int
    byte_rate: int
    frame_size: int
    data_offset: int
    data_size: int

    @property
    def duration(self) -> timedelta:
        if self.code in SAMPLE_CODES:
            return timedelta(seconds=self.data_size // self.frame_size / self.sample_rate)
        return timedelta(seconds=self.data_size / self.byte_rate)


def read_headers(file: BinaryIO, file_size: int) -> WavInfo:
    """Read the chunks up to `data`. Raises DamagedFile."""
    file.seek(FIRST_CHUNK)
    fmt = b""
    for _ in range(MAX_CHUNKS):
        header = file.read(CHUNK_HEADER.size)
        if len(header) < CHUNK_HEADER.size:
            break
        name, size = CHUNK_HEADER.unpack(header)
        offset = file.tell()
        if offset + size > file_size:
            raise DamagedFile("recording_truncated")
        if name == b"data":
            return _wav_info(fmt, offset, size)
        if name == b"fmt ":
            fmt = file.read(min(size, EXTENSIBLE_FORMAT_CODE.stop))
        file.seek(offset + size + size % 2)
    raise DamagedFile("recording_without_sound")


def _wav_info(fmt: bytes, offset: int, size: int) -> WavInfo:
    if len(fmt) < FMT_CHUNK.size:
        raise DamagedFile
    code, channels, sample_rate, byte_rate, frame_size, bits = FMT_CHUNK.unpack_from(fmt)
    if code == EXTENSIBLE and len(fmt) == EXTENSIBLE_FORMAT_CODE.stop:
        [code] = FORMAT_CODE.unpack(fmt[EXTENSIBLE_FORMAT_CODE])
    if not (channels and sample_rate and frame_size and size >= frame_size):
        raise DamagedFile("recording_without_sound")
    if not byte_rate if code not in SAMPLE_CODES else frame_size < channels * bits // 8:
        raise DamagedFile
    return WavInfo(code, sample_rate, byte_rate, frame_size, offset, size - size % frame_size)
