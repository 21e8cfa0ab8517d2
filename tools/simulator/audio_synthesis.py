"""Synthesise the audio of a call: two alternating speakers, by espeak-ng if installed, else by two tones."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import cycle
from math import pi, sin
from pathlib import Path
from random import Random

VOICES = {"callee": (35, 165.0), "caller": (70, 260.0)}
"""By speaker: the pitch of espeak-ng's voice, and the tone in hertz."""
PHRASES = (
    ("Добрий день, слухаю вас.", "Доброго дня, я щодо свого замовлення."),
    ("Скажіть, будь ласка, номер.", "Сорок два, двадцять сім."),
    ("Хвилинку, зараз подивлюся.", "Так, чекаю."),
    ("Його вже відправили, буде у вівторок.", "Чудово, дуже дякую."),
    ("Чи можу ще чимось допомогти?", "Ні, це все."),
    ("Гарного дня!", "І вам, до побачення."),
)
TONE_RATE, PHRASE_TIME, PAUSE = 8000, 1.6, 0.3
AMPLITUDE = 9000


def synthesize_conversation(seconds: float, rng: Random) -> bytes:
    """A WAV file of that length, 16 bits, mono; equal generator states give equal audio."""
    rate = _rate()
    sample_count, samples = int(seconds * rate), array("h")
    for speaker, phrase in _turns(rng):
        if len(samples) >= sample_count:
            break
        samples += _phrase_audio(speaker, phrase)
        samples += array("h", bytes(2 * int(PAUSE * rate)))
    return _wav_file(samples[:sample_count], rate)


def _turns(rng: Random) -> Iterator[tuple[str, str]]:
    first = rng.randrange(len(PHRASES))
    for answer, question in cycle(PHRASES[first:] + PHRASES[:first]):
        yield "callee", answer
        yield "caller", question


@cache
def _espeak() -> str | None:
    return shutil.which("espeak-ng") or shutil.which("espeak")


def _rate() -> int:
    return 22050 if _espeak() else TONE_RATE


@cache
def _phrase_audio(speaker: str, phrase: str) -> array[int]:
    pitch, hertz = VOICES[speaker]
    return _synthesize_speech(phrase, pitch) if _espeak() else _synthesize_tone(phrase, hertz)


def _synthesize_speech(phrase: str, pitch: int) -> array[int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phrase.wav"
        command = [str(_espeak()), "-v", "uk", "-p", str(pitch), "-w", str(path), phrase]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(str(path)) as file:
            return array("h", file.readframes(file.getnframes()))


def _synthesize_tone(phrase: str, hertz: float) -> array[int]:
    """A tone with one amplitude swell per vowel of the phrase."""
    syllables = max(1, sum(letter in "аеєиіїоуюя" for letter in phrase.lower()))
    length = int(PHRASE_TIME * TONE_RATE)
    return array(
        "h",
        (
            int(AMPLITUDE * sin(2 * pi * hertz * n / TONE_RATE) * abs(sin(pi * syllables * n / length)))
            for n in range(length)
        ),
    )


def _wav_file(samples: array[int], rate: int) -> bytes:
    written = BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return written.getvalue()
