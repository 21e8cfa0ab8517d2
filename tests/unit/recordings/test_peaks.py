"""How loud a sound is from its beginning to its end, whatever it is written in."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recordings import audio
from services.recordings.audio import Unknown
from services.recordings.wav import Damaged
from tests.service.recordings.stage import MP3, OPUS, VORBIS, wav

WHOLE = {path.suffix[1:]: path.read_bytes() for path in (MP3, OPUS, VORBIS)} | {"wav": wav(0.2)}


@pytest.mark.parametrize("path", [MP3, OPUS, VORBIS], ids=["mp3", "opus", "vorbis"])
def test_a_tone_that_grows_is_drawn_growing(path):
    found = audio.examine(path)
    assert found.peaks is not None
    assert 50 < len(found.peaks) <= audio.PARTS
    quarter = len(found.peaks) // 4
    loudest = [max(found.peaks[part * quarter : (part + 1) * quarter]) for part in range(4)]
    assert loudest == sorted(loudest)
    assert (loudest[0] < 50, loudest[3] > 100) == (True, True)


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_whatever_is_broken_in_it_is_said_to_be_or_is_not_heard(whole, tmp_path):
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
        found = None
        with suppress(Damaged, Unknown):
            found = audio.examine(broken)
        assert found is None or found.duration.total_seconds() > 0
        assert found is None or all(0 <= peak <= 255 for peak in found.peaks or ())

    holds()


# Frames of silence, 44.1 kHz, one channel: 128 kbit/s, and 32.
LOUD, QUIET = bytes.fromhex("fffb90c4") + bytes(413), bytes.fromhex("fffb10c4") + bytes(100)
FRAME = 1152 / 44100


def xing(frames: int) -> bytes:
    """A first frame that tells how many there are, of a few bytes together."""
    said = b"Xing" + (3).to_bytes(4, "big") + frames.to_bytes(4, "big") + (1000).to_bytes(4, "big")
    return LOUD[:21] + said + LOUD[21 + len(said) :]


@pytest.mark.parametrize(
    "sound",
    [LOUD * 10 + QUIET * 990, QUIET * 990 + LOUD * 10, xing(2**31 - 1) + LOUD * 10 + QUIET * 990],
    ids=["loud at first", "quiet at first", "a header that lies"],
)
def test_an_mp3_is_as_long_as_it_plays_whatever_it_says(sound, tmp_path):
    path = tmp_path / "sound.mp3"
    path.write_bytes(sound)
    assert abs(audio.examine(path).duration.total_seconds() - 1000 * FRAME) < 0.1


def test_of_an_mp3_that_is_too_long_to_be_decoded_a_header_that_lies_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "DECODED", 1000)
    path = tmp_path / "sound.mp3"
    path.write_bytes(xing(2**31 - 1) + LOUD * 100)
    with pytest.raises(Damaged):
        audio.examine(path)
    path.write_bytes(xing(100) + LOUD * 100)
    assert abs(audio.examine(path).duration.total_seconds() - 100 * FRAME) < 0.1
