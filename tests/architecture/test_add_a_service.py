"""Follow docs/add-a-service.md in a copy of the project, and compare what is missing after each step with the page."""

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
BLOCK = re.compile(r"^```(sh check|sh|text missing)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".stack", ".*cache", "data", "__pycache__", "*.egg-info", Path(__file__).name
)
MISSING = re.compile(r"^E\s+(?:AssertionError: )?(\w+ is missing.*|services\.yml is out of date.*)$", re.MULTILINE)
NAMES = ("tag", "label", "mark", "badge")
"""The page's service and others to use instead, where a reader has followed the page and kept the service."""


def free_name() -> str:
    return next(name for name in NAMES if not (ROOT / "services" / f"{name}s").exists())


def blocks(name: str) -> list[tuple[str, str]]:
    """The kind and the text of each block, for a service of that name."""
    page = re.sub(r"(?<![a-z])(tag|Tag|TAG)(?=s?(?![a-z]))", lambda match: _like(match[0], name), PAGE)
    return BLOCK.findall(page)


def _like(word: str, name: str) -> str:
    """`name` with the capitals of `word`."""
    return name.upper() if word.isupper() else name.capitalize() if word.istitle() else name


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path / "project", ignore=NOT_COPIED))


def run(project: Path, script: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(project)}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=project, env=environment, check=False, capture_output=True, text=True)


def contents(project: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(project): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and not {"__pycache__", ".ruff_cache", ".pytest_cache"} & set(path.parts)
    }


@pytest.mark.timeout(300)
def test_each_step_of_the_page_works_and_leaves_missing_what_the_page_says(project: Path) -> None:
    name = free_name()
    [check] = [text for kind, text in blocks(name) if kind == "sh check"]
    steps = [text for kind, text in blocks(name) if kind == "sh"]
    expected = [set(text.splitlines()) for kind, text in blocks(name) if kind == "text missing"]
    before, missing = contents(project), []
    for step, expected_missing in zip(steps, expected, strict=True):
        done = run(project, step)
        assert done.returncode == 0, f"{step}\n{done.stderr}"
        checked = run(project, check)
        missing.append(set(MISSING.findall(checked.stdout)))
        assert missing[-1] == expected_missing, f"after\n{step}\n{checked.stdout[-5000:]}"
        assert (checked.returncode == 0) is (not expected_missing), checked.stdout[-5000:]
    assert all(later < earlier for earlier, later in pairwise(missing)), "each step leaves less missing"
    after = contents(project)
    assert len([path for path in before if after.get(path) != before[path]]) <= 3
    rules = run(project, "python -m pytest -q tests/architecture && lint-imports && ruff check && ruff format --check")
    assert rules.returncode == 0, rules.stdout[-5000:] + rules.stderr
