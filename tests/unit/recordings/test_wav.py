"""How loud a telephone's sound is, in each of the ways that telephones write it."""

import struct
from io import BytesIO

import pytest

from services.recordings import wav
from tests.service.recordings.stage import wav_of

HALF = {
    "8 bits": (1, 8, b"\x80\xc0\x40"),
    "16 bits": (1, 16, struct.pack("<3h", 0, 16384, -16384)),
    "24 bits": (1, 24, b"\x00\x00\x00" + b"\x00\x00\x40" + b"\x00\x00\xc0"),
    "32 bits": (1, 32, struct.pack("<3i", 0, 2**30, -(2**30))),
    "mu-law": (7, 8, b"\xff\x8f\x0f"),
    "A-law": (6, 8, b"\xd5\xba\x3a"),
}


def peaks(body: bytes, parts: int = 3) -> list[int] | None:
    file = BytesIO(body)
    return wav.peaks(file, wav.read(file, len(body)), parts)


@pytest.mark.parametrize("name", HALF)
def test_half_as_loud_as_can_be_is_half_in_every_way_of_writing(name: str):
    code, bits, data = HALF[name]
    found = peaks(wav_of(data, code=code, bits=bits))
    assert found is not None
    silence, *loud = found
    assert silence <= 2
    assert all(120 <= one <= 136 for one in loud), found


def test_samples_that_are_written_otherwise_are_not_told_of():
    assert peaks(wav_of(bytes(64), code=49, bits=16)) is None


# How block codes are written: GSM as `wav49` has it, IMA and MS ADPCM; bytes of a block, samples of it.
BLOCKS = {"gsm": (49, 65, 320), "ima": (0x11, 256, 505), "ms": (2, 256, 500)}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_minute_in_blocks_of_samples_is_a_minute(name: str):
    code, block, samples = BLOCKS[name]
    length = -(-60 * 8000 // samples) * block
    body = wav_of(bytes(length), code=code, frame=block, pace=8000 * block // samples, bits=4)
    assert abs(wav.read(BytesIO(body), len(body)).duration.total_seconds() - 60) < 0.1


@pytest.mark.parametrize("senseless", [{"code": 49, "pace": 0}, {"frame": 1}, {"frame": 3, "channels": 2}])
def test_a_description_that_makes_no_sense_is_refused(senseless: dict[str, int]):
    body = wav_of(bytes(400), **senseless)
    with pytest.raises(wav.Damaged):
        wav.read(BytesIO(body), len(body))


def test_of_two_channels_the_louder_counts():
    data = struct.pack("<6h", 0, 16384, 16384, 0, 0, 0)
    assert peaks(wav_of(data, channels=2)) == [128, 128, 0]


def test_a_short_sound_has_as_many_parts_as_samples():
    assert peaks(wav_of(struct.pack("<2h", 0, 32767)), parts=400) == [0, 255]


def test_words_before_the_sound_are_passed_over():
    body = wav_of(bytes(160))
    assert wav.read(BytesIO(body), len(body)).duration.total_seconds() == 0.01
    more = body[:36] + b"LIST\x03\x00\x00\x00abc\x00" + body[36:]
    assert wav.read(BytesIO(more), len(more)).begins == 56
