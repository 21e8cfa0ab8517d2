"""The format, duration and peaks of an uploaded file, from its content.

Decoders play a truncated file without an error. `wav.py` and mutagen check here that the file is complete.
"""

import struct
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from mutagen import MutagenError
from mutagen.mp3 import HeaderNotFoundError, MPEGFrame, MPEGInfo
from mutagen.ogg import OggPage
from mutagen.oggopus import OggOpusInfo
from mutagen.oggvorbis import OggVorbisInfo

from services.recordings import peaks, wav
from services.recordings.wav import DamagedFile
from shared.contracts.recordings.events import Format

MAX_DECODED_MP3_SIZE = 32 * 1024 * 1024
"""Bytes of an MP3 file that is decoded completely: one or two hours. A longer one has no peaks."""
MIN_MP3_BYTE_RATE = 1000
"""Bytes per second: the lowest bit rate of MP3 is 8 kbit/s."""
MAX_READS, MAX_READ_SIZE = 50_000, 4 * 1024 * 1024
TAIL_SIZE = 64 * 1024
SIZE_TOLERANCE = 0.99
OGG_CODECS: dict[bytes, Any] = {b"OpusHead": OggOpusInfo, b"\x01vorbis": OggVorbisInfo}
FIRST_OGG_PACKET = 28
"""Offset of the first packet in a page with one packet, which is the first page of Opus and Vorbis."""
PARSE_ERRORS = (MutagenError, EOFError, ArithmeticError, LookupError, ValueError, struct.error)
"""What mutagen raises for a file with damaged headers: its own errors and those that it does not catch."""


class UnsupportedFormat(Exception):
    """The content is not WAV, MP3 or Ogg (Opus or Vorbis)."""


class AudioInfo(NamedTuple):
    """`peaks`: see `peaks.py`; None for a file without them."""

    format: Format
    duration: timedelta
    peaks: list[int] | None


class _BoundedFile(FileIO):
    """A file that limits how often and how much is read, because headers may claim any size."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS or (size or 0) > MAX_READ_SIZE:
            raise DamagedFile
        return super().read(MAX_READ_SIZE if size is None or size < 0 else size)


def examine(path: Path) -> AudioInfo:
    """Check and decode a file. Raises UnsupportedFormat, and DamagedFile if it is truncated or empty.

    Blocks on disk and processor: call it in a thread.
    """
    size = path.stat().st_size
    with _BoundedFile(str(path)) as file:
        head = file.read(64)
        try:
            if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
                return _examine_wav(file, path, size)
            if head[:4] == b"OggS":
                return _examine_ogg(file, path, head)
            if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
                return _examine_mp3(file, path, size)
        except PARSE_ERRORS as error:
            raise DamagedFile from error
    raise UnsupportedFormat(UnsupportedFormat.__doc__)


def _examine_wav(file: _BoundedFile, path: Path, size: int) -> AudioInfo:
    info = wav.read_headers(file, size)
    try:
        return AudioInfo(Format.WAV, info.duration, peaks.read_peaks(path))
    except DamagedFile:
        # The headers are valid and the file is complete: libsndfile does not know the encoding.
        return AudioInfo(Format.WAV, info.duration, None)


def _examine_ogg(file: _BoundedFile, path: Path, head: bytes) -> AudioInfo:
    codec = next((codec for start, codec in OGG_CODECS.items() if head[FIRST_OGG_PACKET:].startswith(start)), None)
    if codec is None:
        raise UnsupportedFormat(UnsupportedFormat.__doc__)
    file.seek(0)
    info: Any = codec(file)
    last_page: Any = OggPage.find_last(file, info.serial, finishing=True)
    if last_page is None or not last_page.last:
        raise DamagedFile("recording_truncated")
    # mutagen's public class would parse the tags first, whose number is not limited.
    info._post_tags(file)
    return AudioInfo(Format.OGG, _duration(info.length), peaks.read_peaks(path))


def _examine_mp3(file: _BoundedFile, path: Path, size: int) -> AudioInfo:
    try:
        info: Any = MPEGInfo(file)
    except HeaderNotFoundError as error:
        raise UnsupportedFormat(UnsupportedFormat.__doc__) from error
    if info.layer != 3 or info.sketchy:
        raise UnsupportedFormat(UnsupportedFormat.__doc__)
    is_too_short = info.bitrate * info.length / 8 * SIZE_TOLERANCE > size - info.frame_offset
    if is_too_short or _is_last_frame_truncated(file, info.frame_offset, size):
        raise DamagedFile("recording_truncated")
    if size > MAX_DECODED_MP3_SIZE:
        if info.length > size / MIN_MP3_BYTE_RATE:
            raise DamagedFile
        return AudioInfo(Format.MP3, _duration(info.length), None)
    # The duration is that of the decoded samples: the headers may contain an estimate.
    samples, mp3_peaks = peaks.decode_mp3(path, int(info.length * info.sample_rate))
    return AudioInfo(Format.MP3, _duration(samples / info.channels / info.sample_rate), mp3_peaks)


def _is_last_frame_truncated(file: _BoundedFile, first_frame: int, size: int) -> bool:
    """Follow the frames in the tail of the file. Ignore other data, such as a tag, after the last frame."""
    position = _find_frame_in_tail(file, max(first_frame, size - TAIL_SIZE), size)
    while position < size:
        file.seek(position)
        try:
            MPEGFrame(file)
        except HeaderNotFoundError:
            return False
        position = file.tell()
    return position > size


def _find_frame_in_tail(file: _BoundedFile, begin: int, size: int) -> int:
    """The position of the first of three consecutive frames; `size` if there are none."""
    file.seek(begin)
    tail = file.read(TAIL_SIZE)
    offset = tail.find(b"\xff")
    while offset >= 0:
        if _has_three_frames(file, begin + offset):
            return begin + offset
        offset = tail.find(b"\xff", offset + 1)
    return size


def _has_three_frames(file: _BoundedFile, position: int) -> bool:
    file.seek(position)
    try:
        for _ in range(3):
            MPEGFrame(file)
    except HeaderNotFoundError:
        return False
    return True


def _duration(seconds: float) -> timedelta:
    if seconds <= 0:
        raise DamagedFile("recording_without_sound")
    return timedelta(seconds=seconds)
