"""What a file is, by its content: WAV by our own reading, MP3 and Ogg by mutagen.

How loud it is: MP3 by miniaudio, which libsndfile does not read in the low rates of telephony; Ogg by soundfile.
"""

import struct
from collections.abc import Iterable
from datetime import timedelta
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from mutagen import MutagenError
from mutagen.mp3 import HeaderNotFoundError, MPEGFrame, MPEGInfo
from mutagen.ogg import OggPage
from mutagen.oggopus import OggOpusInfo
from mutagen.oggvorbis import OggVorbisInfo

from services.recordings import wav
from services.recordings.wav import Damaged
from shared.contracts.recordings.events import Format

PARTS = 400
"""How finely loudness is told."""
DECODED = 32 * 1024 * 1024
"""Bytes of MP3 up to which its length and loudness are worth decoding all of it: an hour or two."""
SLOWEST = 1000
"""Bytes of a second of MP3: no frame has less than 8 kbit/s."""
MOST_SAMPLES = 192_000
"""Of each part of an Ogg file, whatever its headers say."""
MOST_READS, LONGEST_READ = 50_000, 4 * 1024 * 1024
TAIL = 64 * 1024
TOLERANCE = 0.99
OGG: dict[bytes, Any] = {b"OpusHead": OggOpusInfo, b"\x01vorbis": OggVorbisInfo}
BROKEN = (MutagenError, EOFError, ArithmeticError, LookupError, ValueError, struct.error)
"""What reading a file that is not what it seems raises, mutagen's own errors and those that it lets through."""
FIRST_PACKET = 28
"""Where the first page of Ogg has its words, when it has one packet, as these two begin."""


class Unknown(Exception):
    """The content is no WAV, MP3 or Ogg (Opus, Vorbis) recording, whatever its name says."""


class Found(NamedTuple):
    """`peaks`: how loud each of PARTS equal parts is, 0 to 255; None where that cannot be told."""

    format: Format
    duration: timedelta
    peaks: list[int] | None


class _Bounded(FileIO):
    """A file that does not let itself be read without end, whatever its headers say."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MOST_READS or (size or 0) > LONGEST_READ:
            raise Damaged("Its headers have no end.")
        return super().read(LONGEST_READ if size is None or size < 0 else size)


def examine(path: Path) -> Found:
    """Raises Unknown, and Damaged for what is broken off or has no sound in it. Reads and waits: for a thread."""
    size = path.stat().st_size
    with _Bounded(str(path)) as file:
        head = file.read(64)
        try:
            if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
                found = wav.read(file, size)
                return Found(Format.WAV, found.duration, wav.peaks(file, found, PARTS))
            if head[:4] == b"OggS":
                return _ogg(file, path, head)
            if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
                return _mp3(file, path, size)
        except BROKEN as error:
            raise Damaged("It is damaged.") from error
    raise Unknown(Unknown.__doc__)


def _ogg(file: _Bounded, path: Path, head: bytes) -> Found:
    info = next((info for begins, info in OGG.items() if head[FIRST_PACKET:].startswith(begins)), None)
    if info is None:
        raise Unknown(Unknown.__doc__)
    file.seek(0)
    about: Any = info(file)
    last: Any = OggPage.find_last(file, about.serial, finishing=True)
    if last is None or not last.last:
        raise Damaged("It is broken off before its end.")
    # mutagen would read the words in between first, of which there may be too many.
    about._post_tags(file)
    return Found(Format.OGG, _duration(about.length), _peaks_of_ogg(path))


def _mp3(file: _Bounded, path: Path, size: int) -> Found:
    try:
        about: Any = MPEGInfo(file)
    except HeaderNotFoundError as error:
        raise Unknown(Unknown.__doc__) from error
    if about.layer != 3 or about.sketchy:
        raise Unknown(Unknown.__doc__)
    missing = about.bitrate * about.length / 8 * TOLERANCE > size - about.frame_offset
    if missing or _is_cut(file, about.frame_offset, size):
        raise Damaged("It is broken off before its end.")
    if size > DECODED:
        return Found(Format.MP3, _duration(_plausible(about.length, size)), None)
    return _decoded(path, about)


def _is_cut(file: _Bounded, first: int, size: int) -> bool:
    """Whether the last frame is not all there. What follows the last whole one, such as a tag, is none of ours."""
    at = _frame_in_tail(file, max(first, size - TAIL), size)
    while at < size:
        file.seek(at)
        try:
            MPEGFrame(file)
        except HeaderNotFoundError:
            return False
        at = file.tell()
    return at > size


def _frame_in_tail(file: _Bounded, begin: int, size: int) -> int:
    """Where in the tail frames follow each other; `size` if they do not."""
    file.seek(begin)
    tail = file.read(TAIL)
    offset = tail.find(b"\xff")
    while offset >= 0:
        if _follow_each_other(file, begin + offset):
            return begin + offset
        offset = tail.find(b"\xff", offset + 1)
    return size


def _follow_each_other(file: _Bounded, at: int) -> bool:
    file.seek(at)
    try:
        for _ in range(3):
            MPEGFrame(file)
    except HeaderNotFoundError:
        return False
    return True


def _duration(seconds: float) -> timedelta:
    if seconds <= 0:
        raise Damaged("There is no sound in it.")
    return timedelta(seconds=seconds)


def _peaks_of_ogg(path: Path) -> list[int]:
    """Of each part its first second at most: an hour is looked through in two."""
    # Like miniaudio, which loads numpy if it is there: 27 MiB that a service of WAV files does without.
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            parts = min(PARTS, sound.frames)
            begins = [sound.frames * part // parts for part in range(parts + 1)]
            return [_byte(_loudest(sound, begin, end)) for begin, end in pairwise(begins)]
    except soundfile.SoundFileError as error:
        raise Damaged("It is damaged.") from error


def _loudest(sound: Any, begin: int, end: int) -> int:
    sound.seek(begin)
    frames = min(end - begin, sound.samplerate, MOST_SAMPLES // sound.channels)
    samples = memoryview(sound.buffer_read(frames, "int16")).cast("h")
    return max(max(samples, default=0), -min(samples, default=0))


def _plausible(seconds: float, size: int) -> float:
    """What the headers say, if it fits the file: they count frames that need not be there."""
    if seconds > size / SLOWEST:
        raise Damaged("Its headers tell of more than there is.")
    return seconds


def _decoded(path: Path, about: Any) -> Found:
    """As long as it is when it is played: what its headers say may be an estimate, or a lie."""
    import miniaudio

    frames, samples, peaks = int(about.length * about.sample_rate / PARTS / 2), 0, list[int]()
    try:
        for piece in miniaudio.mp3_stream_file(str(path), max(64, min(frames, 8192))):
            samples += len(piece)
            peaks.append(max(max(piece), -min(piece)))
    except miniaudio.DecodeError as error:
        raise Damaged("It is damaged.") from error
    return Found(Format.MP3, _duration(samples / about.channels / about.sample_rate), _in_parts(peaks))


def _in_parts(peaks: list[int]) -> list[int]:
    parts = min(PARTS, len(peaks))
    ends = [len(peaks) * part // parts for part in range(parts + 1)]
    loudest: Iterable[int] = (max(peaks[begin:end]) for begin, end in pairwise(ends))
    return [_byte(peak) for peak in loudest]


def _byte(peak: int) -> int:
    return min(255, peak >> 7)
