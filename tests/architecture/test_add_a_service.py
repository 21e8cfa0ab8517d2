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
    ".git", ".venv", ".stack", ".*cache", ".hypothesis", "data", "__pycache__", "*.egg-info", Path(__file__).name
)
CACHE = re.compile(r"(^|/)(\.|__pycache__)")
MISSING = re.compile(r"^E\s+(?:AssertionError: )?(\w+ is missing.*|services\.yml is out of date.*)$", re.MULTILINE)
MAX_EDITED_FOR_A_SERVICE, MAX_EDITED_FOR_THE_JOURNAL = 3, 6
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
    """The files outside of caches."""
    files = {path.relative_to(project): path for path in project.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not CACHE.search(str(name.parent))}


def changed_files(before: dict[Path, bytes], after: dict[Path, bytes]) -> set[Path]:
    """The files of `before` that are others in `after`."""
    return {path for path, content in before.items() if after.get(path) != content}


@pytest.mark.timeout(600)
def test_each_step_of_the_page_works_and_leaves_missing_what_the_page_says(project: Path) -> None:
    name = free_name()
    page = blocks(name)
    [check] = [text for kind, text in page if kind == "sh check"]
    original, missing = contents(project), []
    edited: list[set[Path]] = []
    for (kind, step), (next_kind, next_text) in pairwise([*page, ("", "")]):
        if kind != "sh":
            continue
        done = run(project, step)
        assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        checked = run(project, check)
        missing.append(set(MISSING.findall(checked.stdout)))
        expected = set(next_text.splitlines()) if next_kind == "text missing" else set()
        assert missing[-1] == expected, f"after\n{step}\n{checked.stdout[-5000:]}"
        assert (checked.returncode == 0) is (not expected), f"after\n{step}\n{checked.stdout[-5000:]}"
        edited.append(changed_files(original, contents(project)))
    copied, declared, *_, filtered, evolved = edited
    assert copied == set()
    assert len(declared) <= MAX_EDITED_FOR_A_SERVICE
    assert len(filtered - declared) <= MAX_EDITED_FOR_THE_JOURNAL
    assert evolved == filtered, "a new version of an event edits only files of its owner"
    collected = run(project, f"python -m pytest -q --collect-only tests/integration/gateway/test_{name}s.py")
    assert collected.returncode == 0, collected.stdout[-5000:]
    rules = run(project, "python -m pytest -q tests/architecture && lint-imports && ruff check && ruff format --check")
    assert rules.returncode == 0, rules.stdout[-5000:] + rules.stderr
