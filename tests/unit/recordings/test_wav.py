"""Headers and peaks of WAV files in the encodings that telephones use."""

import struct
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from services.recordings import audio, wav
from tests.service.recordings.media_client import wav_of

HALF = {
    "8 bits": (1, 8, b"\x80\xc0\x40"),
    "16 bits": (1, 16, struct.pack("<3h", 0, 16384, -16384)),
    "24 bits": (1, 24, b"\x00\x00\x00" + b"\x00\x00\x40" + b"\x00\x00\xc0"),
    "32 bits": (1, 32, struct.pack("<3i", 0, 2**30, -(2**30))),
    "mu-law": (7, 8, b"\xff\x8f\x0f"),
    "A-law": (6, 8, b"\xd5\xba\x3a"),
}


@pytest.fixture
def peaks_of(tmp_path: Path) -> Callable[[bytes], list[int] | None]:
    def examine(body: bytes) -> list[int] | None:
        path = tmp_path / "recording.wav"
        path.write_bytes(body)
        return audio.examine(path).peaks

    return examine


@pytest.mark.parametrize("name", HALF)
def test_half_of_full_scale_is_half_in_every_encoding(peaks_of, name: str):
    code, bits, data = HALF[name]
    values = peaks_of(wav_of(data, code=code, bits=bits))
    assert values is not None
    silence, *loud = values
    assert silence <= 2
    assert all(120 <= value <= 136 for value in loud), values


def test_an_unsupported_encoding_has_no_peaks(peaks_of):
    assert peaks_of(wav_of(bytes(64), code=49, bits=16)) is None


# Block encodings: GSM (`wav49`), IMA ADPCM and MS ADPCM; format code, bytes and samples of a block.
BLOCKS = {"gsm": (49, 65, 320), "ima": (0x11, 256, 505), "ms": (2, 256, 500)}


@pytest.mark.parametrize("name", BLOCKS)
def test_the_duration_of_block_encodings_follows_from_the_byte_rate(name: str):
    code, block, samples = BLOCKS[name]
    length = -(-60 * 8000 // samples) * block
    body = wav_of(bytes(length), code=code, frame=block, byte_rate=8000 * block // samples, bits=4)
    assert abs(wav.read_headers(BytesIO(body), len(body)).duration.total_seconds() - 60) < 0.1


@pytest.mark.parametrize("inconsistent", [{"code": 49, "byte_rate": 0}, {"frame": 1}, {"frame": 3, "channels": 2}])
def test_an_inconsistent_format_description_is_rejected(inconsistent: dict[str, int]):
    body = wav_of(bytes(400), **inconsistent)
    with pytest.raises(wav.DamagedFile):
        wav.read_headers(BytesIO(body), len(body))


def test_the_louder_of_two_channels_counts(peaks_of):
    data = struct.pack("<6h", 0, 16384, 16384, 0, 0, 0)
    assert peaks_of(wav_of(data, channels=2)) == [128, 128, 0]


def test_a_short_recording_has_one_peak_per_sample(peaks_of):
    assert peaks_of(wav_of(struct.pack("<2h", 0, 32767))) == [0, 255]


def test_chunks_before_the_data_are_skipped():
    body = wav_of(bytes(160))
    assert wav.read_headers(BytesIO(body), len(body)).duration.total_seconds() == 0.01
    more = body[:36] + b"LIST\x03\x00\x00\x00abc\x00" + body[36:]
    assert wav.read_headers(BytesIO(more), len(more)).data_offset == 56


@pytest.mark.parametrize("seconds", [1, 3600])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, seconds: int):
    path = tmp_path / "recording.wav"
    path.write_bytes(wav_of(bytes(16_000 * seconds)))
    tracemalloc.start()
    try:
        audio.examine(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024**2
    finally:
        tracemalloc.stop()
