"""ops/stack/supervise starts what dies again, and ends with what it keeps."""

import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.infrastructure import ROOT, eventually

KEEP = ROOT / "ops/stack/supervise"


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    return tmp_path / "starts"


@pytest.fixture
def kept(starts: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = f"trap 'echo term >> {starts}; exit' TERM; echo $$ >> {starts}; while :; do sleep 0.05; done"
    process = subprocess.Popen([KEEP, "bash", "-c", command], stderr=subprocess.DEVNULL, start_new_session=True)
    eventually(starts.exists)
    yield process
    process.kill()
    process.wait()


def test_what_is_killed_starts_again(kept: subprocess.Popen[bytes], starts: Path) -> None:
    os.kill(int(lines(starts)[0]), signal.SIGKILL)
    eventually(lambda: len(lines(starts)) == 2)
    assert kept.poll() is None


def test_what_is_told_to_end_hears_it_once_even_when_the_whole_group_is_told(
    kept: subprocess.Popen[bytes], starts: Path
) -> None:
    os.killpg(kept.pid, signal.SIGTERM)
    kept.wait(10)
    assert lines(starts)[1:] == ["term"]


def test_nothing_outlives_a_killed_keep(kept: subprocess.Popen[bytes], starts: Path) -> None:
    kept.kill()
    eventually(lambda: lines(starts)[1:] == ["term"])


def test_the_pause_grows(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    keep = subprocess.Popen([KEEP, "bash", "-c", f"date +%s.%N >> {starts}"], stderr=subprocess.DEVNULL)
    eventually(lambda: starts.exists() and len(lines(starts)) >= 4)
    keep.terminate()
    keep.wait(10)
    at = [float(line) for line in lines(starts)]
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert [pause >= least for pause, least in zip(pauses, [0.2, 0.4, 0.8], strict=False)] == [True] * 3


def lines(path: Path) -> list[str]:
    return path.read_text().split()
