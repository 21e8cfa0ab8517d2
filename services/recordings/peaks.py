"""The loudness of a recording over time, for a waveform: up to MAX_PEAKS values from 0 to 255.

libsndfile (soundfile) decodes WAV and Ogg. miniaudio decodes MP3: libsndfile needs 30 % more processor time for it, and
its decoder prints a line to stderr for each damaged frame of an upload.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

from services.recordings.wav import DamagedFile

MAX_PEAKS = 400
MAX_FRAMES_PER_PEAK = 32_768
"""Longer parts are sampled by their beginning: at 8 kHz, recordings over half an hour."""
MAX_SAMPLES_PER_PEAK = 192_000
"""Limits the memory for files with hundreds of channels."""
INTEGER_ENCODINGS = frozenset(
    {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW", "VORBIS", "OPUS", "GSM610", "IMA_ADPCM", "MS_ADPCM"}
)
"""Encodings that libsndfile scales to 16 bits. It does not scale floating point samples."""


def read_peaks(path: Path) -> list[int] | None:
    """Decode parts of a WAV or Ogg file; None for an encoding without peaks. Raises DamagedFile."""
    # Imported here, like miniaudio, so that a replica that takes no uploads does not load it.
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as audio:
            if audio.subtype not in INTEGER_ENCODINGS:
                return None
            count = min(MAX_PEAKS, audio.frames)
            bounds = [audio.frames * part // count for part in range(count + 1)] if count else []
            return [_peak_of_part(audio, begin, end) for begin, end in pairwise(bounds)]
    except soundfile.SoundFileError as error:
        raise DamagedFile("The file is damaged.") from error


def _peak_of_part(audio: Any, begin: int, end: int) -> int:
    audio.seek(begin)
    frames = min(end - begin, MAX_FRAMES_PER_PEAK, MAX_SAMPLES_PER_PEAK // audio.channels)
    return _scaled(_peak(memoryview(audio.buffer_read(frames, "int16")).cast("h")))


def decode_mp3(path: Path, expected_frames: int) -> tuple[int, list[int]]:
    """Decode all of an MP3 file in blocks: `(samples of all channels, peaks)`. Raises DamagedFile."""
    import miniaudio

    block_size = max(64, min(expected_frames // MAX_PEAKS // 2, 8192))
    samples, block_peaks = 0, list[int]()
    try:
        for block in miniaudio.mp3_stream_file(str(path), block_size):
            samples += len(block)
            block_peaks.append(_peak(block))
    except miniaudio.DecodeError as error:
        raise DamagedFile("The file is damaged.") from error
    count = min(MAX_PEAKS, len(block_peaks))
    bounds = [len(block_peaks) * part // count for part in range(count + 1)] if count else []
    return samples, [_scaled(max(block_peaks[begin:end])) for begin, end in pairwise(bounds)]


def _peak(samples: Any) -> int:
    return max(max(samples, default=0), -min(samples, default=0))


def _scaled(peak: int) -> int:
    """From 16 bits to 8."""
    return min(255, peak >> 7)
