"""What a call sounds like: two people who take turns, by espeak-ng where there is one, else by two tones."""

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

TALKERS = {"callee": (35, 165.0), "caller": (70, 260.0)}
"""By who talks: the pitch of espeak-ng's voice, and the tone in hertz."""
PHRASES = (
    ("Добрий день, слухаю вас.", "Доброго дня, я щодо свого замовлення."),
    ("Скажіть, будь ласка, номер.", "Сорок два, двадцять сім."),
    ("Хвилинку, зараз подивлюся.", "Так, чекаю."),
    ("Його вже відправили, буде у вівторок.", "Чудово, дуже дякую."),
    ("Чи можу ще чимось допомогти?", "Ні, це все."),
    ("Гарного дня!", "І вам, до побачення."),
)
TONE_RATE, PHRASE_TIME, PAUSE = 8000, 1.6, 0.3
LOUD = 9000


def conversation(seconds: float, dice: Random) -> bytes:
    """A WAV file of that length, 16 bits, one channel; the same dice make the same conversation."""
    rate = _rate()
    wanted, sound = int(seconds * rate), array("h")
    for who, phrase in _turns(dice):
        if len(sound) >= wanted:
            break
        sound += _said(who, phrase)
        sound += array("h", bytes(2 * int(PAUSE * rate)))
    return _file(sound[:wanted], rate)


def _turns(dice: Random) -> Iterator[tuple[str, str]]:
    first = dice.randrange(len(PHRASES))
    for answer, question in cycle(PHRASES[first:] + PHRASES[:first]):
        yield "callee", answer
        yield "caller", question


@cache
def _espeak() -> str | None:
    return shutil.which("espeak-ng") or shutil.which("espeak")


def _rate() -> int:
    return 22050 if _espeak() else TONE_RATE


@cache
def _said(who: str, phrase: str) -> array[int]:
    pitch, hertz = TALKERS[who]
    return _spoken(phrase, pitch) if _espeak() else _hummed(phrase, hertz)


def _spoken(phrase: str, pitch: int) -> array[int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = [str(_espeak()), "-v", "uk", "-p", str(pitch), "-w", str(path), phrase]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(str(path)) as file:
            return array("h", file.readframes(file.getnframes()))


def _hummed(phrase: str, hertz: float) -> array[int]:
    """As many syllables as the phrase has vowels, each louder and softer again."""
    syllables = max(1, sum(letter in "аеєиіїоуюя" for letter in phrase.lower()))
    length = int(PHRASE_TIME * TONE_RATE)
    return array(
        "h",
        (
            int(LOUD * sin(2 * pi * hertz * n / TONE_RATE) * abs(sin(pi * syllables * n / length)))
            for n in range(length)
        ),
    )


def _file(sound: array[int], rate: int) -> bytes:
    written = BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())
    return written.getvalue()
