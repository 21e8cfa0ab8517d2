"""Measure how many calls of a live Asterisk one core can spool, translate and prepare for publishing."""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.performance.figures import Figure
from tests.support.infrastructure import ROOT, Services, Stack

CALLS_A_SECOND = 300
CAPTURES = ROOT / "tests/data/asterisk/captures"
COPIES = 60
"""Copies of each capture, one after another, each with its own channels and bridges."""
PROGRAM = """
import sys, time
from pathlib import Path
from services.asterisk.spool import CONNECTED, DATA, Spool
from services.asterisk.report_publisher import ReportPublisher
from shared.feeds.asterisk.translator import Translator
from shared.plumbing import clock
folder, chunk, placed = Path(sys.argv[2]), 4096, 0
def publish(messages):
    global placed
    placed += sum(one.key == "placed" for one in messages)
spool = Spool(folder)
teller = ReportPublisher(spool, folder, lambda: Translator("acme", {"erin", "frank", "operator1"}), "UA")
spool.append(CONNECTED, clock.now())
with open(sys.argv[1], "rb") as said:
    began = time.process_time()
    while heard := said.read(chunk):
        spool.append(DATA, clock.now(), heard)
        if said.publish_pending() % (16 * chunk) == 0:
            teller.publish_pending(publish)
    teller.publish_pending(publish)
spool.sync()
print(placed / (time.process_time() - began), placed, Path(sys.argv[1]).stat().st_size)
"""

_UNIQUEID, _CHANNEL = re.compile(rb"pbx1-(?=\d{10}\.)"), re.compile(rb"-0000(?=[0-9a-f]{4}\b)")
_BRIDGE, _STAMP = re.compile(rb"(?<=: )[0-9a-f]{8}(?=-[0-9a-f]{4}-)"), re.compile(rb"(?<=Timestamp: )\d{10}")


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("wb") as file:
            file.writelines(_traffic())
        command = [sys.executable, "-c", PROGRAM, said, Path(folder) / "spool"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    speed, calls, size = map(float, done.stdout.split())
    return [
        Figure(
            f"a live Asterisk: heard, spooled and translated ({size / calls / 1000:.0f} kB of events a call)",
            f"{speed:,.0f} calls/s of one core",
            f"{CALLS_A_SECOND}",
            speed >= CALLS_A_SECOND,
        )
    ]


def _traffic() -> list[bytes]:
    recorded = [path.read_bytes() for path in sorted(CAPTURES.glob("*.txt")) if path.name.count(".") == 1]
    return [_copy(capture, number) for number in range(COPIES) for capture in recorded]


def _copy(capture: bytes, number: int) -> bytes:
    """The same calls, shifted by `number` hours."""
    capture = _UNIQUEID.sub(b"pbx%d-" % (number + 1), capture)
    capture = _CHANNEL.sub(b"-%04x" % number, capture)
    capture = _BRIDGE.sub(lambda bridge: b"%08x" % (int(bridge[0], 16) ^ number), capture)
    return _STAMP.sub(lambda stamp: b"%d" % (int(stamp[0]) + 3600 * number), capture)
