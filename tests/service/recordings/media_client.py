"""Audio files, signed links, and a client that uploads and downloads over HTTP."""

import struct
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import pi, sin
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import requests

from shared.contracts.recordings.links import Keyring, Link, Purpose
from shared.plumbing import clock

DATA = Path(__file__).parents[2] / "data" / "recordings"
TENANT = "oselia"
MP3, OPUS, VORBIS = (DATA / name for name in ("tone.mp3", "tone.opus", "tone.ogg"))


def wav(seconds: float = 1.0, rate: int = 8000, amplitude: float = 0.5) -> bytes:
    """A tone of 440 Hz, 16 bits, one channel."""
    samples = [int(32767 * amplitude * sin(2 * pi * 440 * n / rate)) for n in range(int(seconds * rate))]
    return wav_of(struct.pack(f"<{len(samples)}h", *samples), rate=rate)


def wav_of(
    data: bytes,
    *,
    code: int = 1,
    channels: int = 1,
    rate: int = 8000,
    bits: int = 16,
    frame: int | None = None,
    byte_rate: int | None = None,
) -> bytes:
    frame = channels * bits // 8 if frame is None else frame
    description = struct.pack(
        "<HHIIHH", code, channels, rate, rate * frame if byte_rate is None else byte_rate, frame, bits
    )
    chunks = b"fmt " + struct.pack("<I", len(description)) + description + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@dataclass
class Media:
    """Upload and download with links signed like those of the gateway."""

    url: str
    keyring: Keyring
    tenant: str = TENANT
    caller_id: UUID = field(default_factory=uuid4)
    session: requests.Session = field(default_factory=requests.Session)

    def link(self, call_id: UUID, purpose: Purpose = Purpose.PLAY, *, at: datetime | None = None, **other: Any) -> str:
        link = Link(call_id=call_id, tenant=self.tenant, caller_id=self.caller_id, purpose=purpose, name="Дзвінок")
        return self.keyring.sign(replace(link, **other), at or clock.now())

    def put(self, call_id: UUID, body: Any, **options: Any) -> requests.Response:
        return self("PUT", self.link(call_id, Purpose.UPLOAD), data=body, **options)

    def get(self, call_id: UUID, **headers: str) -> requests.Response:
        return self(
            "GET", self.link(call_id), headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=60, **options)
