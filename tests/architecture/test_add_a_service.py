"""docs/add-a-service.md is done as it stands, in a copy of the project; what it says is missing is what is missing."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/add-a-service.md").read_text()
BLOCK = re.compile(r"^```(sh ask|sh|text missing)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
NOT_COPIED = shutil.ignore_patterns(".*", "data", "__pycache__", "*.egg-info", Path(__file__).name)
MISSING = re.compile(r"^E\s+(?:AssertionError: )?(\w+ is missing in .*)$", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path / "project", ignore=NOT_COPIED))


def run(project: Path, script: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(project)}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=project, env=environment, check=False, capture_output=True, text=True)


@pytest.mark.timeout(300)
def test_each_step_of_the_page_works_and_leaves_what_it_says(project: Path) -> None:
    [ask] = [text for kind, text in BLOCKS if kind == "sh ask"]
    steps = [text for kind, text in BLOCKS if kind == "sh"]
    told = [text.splitlines() for kind, text in BLOCKS if kind == "text missing"]
    named = []
    for step, missing in zip(steps, told, strict=True):
        done = run(project, step)
        assert done.returncode == 0, f"{step}\n{done.stderr}"
        asked = run(project, ask)
        assert [line for line in missing if line not in asked.stdout] == [], f"after\n{step}\n{asked.stdout[-5000:]}"
        assert (asked.returncode == 0) is (missing == []), asked.stdout[-5000:]
        named.append(set(MISSING.findall(asked.stdout)))
    assert named[0] == set(told[0])
    assert all(later < before for before, later in pairwise(named)), "each step leaves less"
    whole = run(project, "python -m pytest -q tests/architecture")
    assert whole.returncode == 0, whole.stdout[-5000:]
    checked = run(project, "lint-imports && ruff check && ruff format --check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
