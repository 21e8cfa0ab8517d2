"""How loud a sound is from its beginning to its end, whatever it is written in."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recordings import audio
from services.recordings.audio import Unknown
from services.recordings.wav import Damaged
from tests.service.recordings.stage import MP3, OPUS, VORBIS


@pytest.mark.parametrize("path", [MP3, OPUS, VORBIS], ids=["mp3", "opus", "vorbis"])
def test_a_tone_that_grows_is_drawn_growing(path):
    found = audio.examine(path)
    assert found.peaks is not None
    assert 50 < len(found.peaks) <= audio.PARTS
    quarter = len(found.peaks) // 4
    loudest = [max(found.peaks[part * quarter : (part + 1) * quarter]) for part in range(4)]
    assert loudest == sorted(loudest)
    assert (loudest[0] < 50, loudest[3] > 100) == (True, True)


@pytest.mark.parametrize("path", [MP3, OPUS, VORBIS], ids=["mp3", "opus", "vorbis"])
def test_whatever_is_broken_in_it_is_said_to_be_or_is_not_heard(path, tmp_path):
    whole, broken = path.read_bytes(), tmp_path / "broken"

    @given(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=20))
    def holds(changes):
        sound = bytearray(whole)
        for place, byte in changes:
            sound[place] = byte
        broken.write_bytes(sound)
        found = None
        with suppress(Damaged, Unknown):
            found = audio.examine(broken)
        assert found is None or found.duration.total_seconds() > 0
        assert found is None or all(0 <= peak <= 255 for peak in found.peaks or ())

    holds()
