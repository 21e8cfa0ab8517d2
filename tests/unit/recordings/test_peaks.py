"""Examining uploads: format, duration and peaks; damaged files."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recordings import audio, peaks
from services.recordings.audio import UnsupportedFormat
from services.recordings.wav import DamagedFile
from tests.service.recordings.media_client import MP3, OPUS, VORBIS, wav

WHOLE = {path.suffix[1:]: path.read_bytes() for path in (MP3, OPUS, VORBIS)} | {"wav": wav(0.2)}


@pytest.mark.parametrize("path", [MP3, OPUS, VORBIS], ids=["mp3", "opus", "vorbis"])
def test_peaks_follow_the_loudness(path):
    info = audio.examine(path)
    assert info.peaks is not None
    assert 50 < len(info.peaks) <= peaks.MAX_PEAKS
    quarter = len(info.peaks) // 4
    loudest = [max(info.peaks[part * quarter : (part + 1) * quarter]) for part in range(4)]
    assert loudest == sorted(loudest)
    assert (loudest[0] < 50, loudest[3] > 100) == (True, True)


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_damaged_file_is_rejected_or_has_valid_results(whole, tmp_path):
    broken = tmp_path / "broken"
    anywhere, in_its_heads = st.integers(0, len(whole) - 1), st.integers(0, min(128, len(whole) - 1))
    any_byte = st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)

    @settings(max_examples=300)
    @given(
        st.lists(st.tuples(in_its_heads | anywhere, any_byte), min_size=1, max_size=20),
        st.just(len(whole)) | in_its_heads | anywhere,
    )
    def holds(changes, cut_at):
        sound = bytearray(whole)
        for place, byte in changes:
            sound[place] = byte
        broken.write_bytes(sound[:cut_at])
        info = None
        with suppress(DamagedFile, UnsupportedFormat):
            info = audio.examine(broken)
        assert info is None or info.duration.total_seconds() > 0
        assert info is None or all(0 <= peak <= 255 for peak in info.peaks or ())

    holds()


# Frames of silence, 44.1 kHz, one channel: 128 kbit/s, and 32.
LOUD, QUIET = bytes.fromhex("fffb90c4") + bytes(413), bytes.fromhex("fffb10c4") + bytes(100)
FRAME = 1152 / 44100


def xing(frames: int) -> bytes:
    """A first frame with a Xing header, which claims a number of frames."""
    header = b"Xing" + (3).to_bytes(4, "big") + frames.to_bytes(4, "big") + (1000).to_bytes(4, "big")
    return LOUD[:21] + header + LOUD[21 + len(header) :]


@pytest.mark.parametrize(
    "sound",
    [LOUD * 10 + QUIET * 990, QUIET * 990 + LOUD * 10, xing(2**31 - 1) + LOUD * 10 + QUIET * 990],
    ids=["loud at first", "quiet at first", "a false header"],
)
def test_the_duration_of_an_mp3_is_that_of_its_decoded_samples(sound, tmp_path):
    path = tmp_path / "sound.mp3"
    path.write_bytes(sound)
    assert abs(audio.examine(path).duration.total_seconds() - 1000 * FRAME) < 0.1


def test_an_implausible_duration_of_a_long_mp3_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "MAX_DECODED_MP3_SIZE", 1000)
    path = tmp_path / "sound.mp3"
    path.write_bytes(xing(2**31 - 1) + LOUD * 100)
    with pytest.raises(DamagedFile):
        audio.examine(path)
    path.write_bytes(xing(100) + LOUD * 100)
    assert abs(audio.examine(path).duration.total_seconds() - 100 * FRAME) < 0.1
