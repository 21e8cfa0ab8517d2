"""How fast old records are read and translated, and that their number costs no memory. Nothing is sent anywhere."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from shared.testing.infrastructure import ROOT, Services, Stack
from tests.performance.figures import Figure

ROWS_A_SECOND, MEBIBYTES = 10_000, 100
FEW = 100_000
ROW = (
    '"","1001","{dst}","from-internal","""Олена"" <1001>","PJSIP/alice-{n:08x}","PJSIP/bob-{n:08x}",'
    '"Dial","PJSIP/bob,20,tT","2026-11-22 18:56:59","2026-11-22 18:57:00","2026-11-22 18:57:03",'
    '3,3,"ANSWERED","DOCUMENTATION","{at}.{n}",""\n'
)
READ = """
import resource, sys, time
from pathlib import Path
from shared.feeds.asterisk_csv_call import Exchange
from tools.importing.pieces import AsteriskCsv
began, rows = time.process_time(), 0
for piece in AsteriskCsv(Path(sys.argv[1]), Exchange(tenant="oselia", trunks=("provider",))).pieces({}):
    rows += piece.rows
took = time.process_time() - began
print(rows / took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        _, few = _read(Path(folder) / "few.csv", FEW)
        speed, many = _read(Path(folder) / "many.csv", asked.rows)
    return [
        Figure(
            "import: rows of Master.csv translated",
            f"{speed:,.0f} a second of one core",
            f"at least {ROWS_A_SECOND:,}",
            speed >= ROWS_A_SECOND,
        ),
        Figure(
            f"import: memory for {asked.rows:,} rows ({FEW:,} rows)",
            f"{many:.0f} MiB ({few:.0f} MiB)",
            f"under {MEBIBYTES} MiB",
            many < MEBIBYTES,
        ),
    ]


def _read(file: Path, rows: int) -> tuple[float, float]:
    """(Rows a second of one core, MiB at the most)."""
    with file.open("w", encoding="utf-8") as table:
        table.writelines(ROW.format(n=n, at=1795373819 + n // 5, dst=101 + n % 7) for n in range(rows))
    done = subprocess.run(
        [sys.executable, "-c", READ, file], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    speed, size = done.stdout.split()
    return float(speed), float(size)
