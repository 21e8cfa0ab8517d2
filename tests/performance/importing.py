"""Measure the speed and the memory use of `journal import`."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.performance import company
from tests.performance.figures import Figure
from tests.support import system
from tests.support.infrastructure import ROOT, Services, Stack, emptied, eventually

ROWS_A_SECOND, CALLS_A_SECOND, MEBIBYTES = 10_000, 250, 100
FEW = 100_000
BROUGHT = 10_000
MAX_WAIT_SECONDS = 300.0
ROW = (
    '"","1001","{dst}","from-internal","""Олена"" <1001>","PJSIP/alice-{n:08x}","PJSIP/bob-{n:08x}",'
    '"Dial","PJSIP/bob,20,tT","2026-11-22 18:56:59","2026-11-22 18:57:00","2026-11-22 18:57:03",'
    '3,3,"ANSWERED","DOCUMENTATION","{at}.{n}",""\n'
)
READ = """
import sys, time
from pathlib import Path
from shared.feeds.asterisk.cdr_call import Exchange
from tools.importer.sources import AsteriskCsv
began, rows = time.process_time(), 0
for chunk in AsteriskCsv(Path(sys.argv[1]), Exchange(tenant="oselia", trunks=("provider",))).chunks({}):
    rows += chunk.rows
took = time.process_time() - began
print(rows / took)
print(Path("/proc/self/status").read_text())
"""


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        _, few = _read(Path(folder) / "few.csv", FEW)
        speed, many = _read(Path(folder) / "many.csv", arguments.rows)
        brought, size = _import(stack, services, Path(folder) / "brought.csv")
    return [
        Figure(
            "import: rows of Master.csv translated",
            f"{speed:,.0f} a second of one core",
            f"at least {ROWS_A_SECOND:,}",
            speed >= ROWS_A_SECOND,
        ),
        Figure(
            f"import: memory for {arguments.rows:,} rows ({FEW:,} rows)",
            f"{many:.0f} MiB ({few:.0f} MiB)",
            f"under {MEBIBYTES} MiB",
            many < MEBIBYTES,
        ),
        Figure(
            f"import: {BROUGHT:,} calls from Master.csv to visible rows, everything on this machine",
            f"{brought:,.0f} calls/s; the process {size:.0f} MiB",
            f"at least {CALLS_A_SECOND} calls/s, under {MEBIBYTES} MiB",
            brought >= CALLS_A_SECOND and size < MEBIBYTES,
        ),
    ]


def _import(stack: Stack, services: Services, file: Path) -> tuple[float, float]:
    """Return (calls per second from the start of the command until all are visible, peak MiB of the command)."""
    write(file, BROUGHT)
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        next(system.start(stack, services, {}))
        told = [
            "--to",
            company.address(stack).removesuffix("/api/v1"),
            "--tenant",
            company.TENANT,
            "--key",
            company.KEY,
        ]
        began = time.monotonic()
        command = [sys.executable, "-m", "tools.journal", "import", "asterisk-csv", file, *told]
        process = subprocess.Popen(command, cwd=ROOT)
        size = 0.0
        while process.poll() is None:
            size = max(size, peak(Path(f"/proc/{process.pid}/status").read_text()))
            time.sleep(0.1)
        assert process.returncode == 0
        with psycopg.connect(stack.env("gateway")["DATABASE_URL"], autocommit=True) as conn:
            eventually(lambda: conn.execute("select count(*) from journal").fetchone() == (BROUGHT,), MAX_WAIT_SECONDS)
        return BROUGHT / (time.monotonic() - began), size


def peak(status: str) -> float:
    """Peak MiB of a process, from /proc; the rusage of a child also contains the peak of its parent."""
    lines = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0]) / 1024 if lines else 0.0


def _read(file: Path, rows: int) -> tuple[float, float]:
    """Return (rows per second on one core, peak MiB)."""
    write(file, rows)
    done = subprocess.run(
        [sys.executable, "-c", READ, file], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    speed, _, status = done.stdout.partition("\n")
    return float(speed), peak(status)


def write(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8") as table:
        table.writelines(ROW.format(n=n, at=1795373819 + n // 5, dst=101 + n % 7) for n in range(rows))
