"""However many records there are, the process that brings them stays small."""

import subprocess
import sys
import time
from pathlib import Path

from tests.performance.importing import MEBIBYTES, peak, write
from tests.sizes import Size, sized
from tests.support.infrastructure import ROOT
from tests.unit.importer.gateway import Counter, listening


def brought(file: Path, rows: int) -> tuple[float, int]:
    """(MiB of the process at the most, reports that arrived)."""
    write(file, rows)
    with listening(Counter()) as gateway:
        told = ["--to", gateway.url, "--tenant", "acme", "--key", "k-1"]
        command = [sys.executable, "-m", "tools.journal", "import", "asterisk-csv", str(file), *told]
        process, size = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), 0.0
        while process.poll() is None:
            size = max(size, peak(Path(f"/proc/{process.pid}/status").read_text()))
            time.sleep(0.05)
        assert process.returncode == 0
        return size, gateway.arrived


@sized("import")
def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path, size: Size):
    few, _ = brought(tmp_path / "few.csv", size.rows // 10)
    many, arrived = brought(tmp_path / "many.csv", size.rows)
    assert arrived == 4 * size.rows
    assert many < min(few + 10, MEBIBYTES)
