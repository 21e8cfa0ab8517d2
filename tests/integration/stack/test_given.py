"""What runs only where something is told: an exchange, for one."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.infrastructure import ROOT, Stack

GIVEN = ROOT / "ops/stack/run-if-set"


def given(name: str, seconds: float = 5) -> str:
    environment = {**os.environ, "TOLD": "pbx", "EMPTY": ""}
    command = [GIVEN, name, "echo", "runs"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=seconds).stdout


def test_a_command_runs_when_what_it_needs_is_told() -> None:
    assert given("TOLD") == "runs\n"


@pytest.mark.parametrize("name", ["EMPTY", "MISSING"])
def test_it_waits_to_be_ended_when_it_is_not(name: str) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        given(name, seconds=0.5)


def test_only_the_agent_gets_the_address_of_the_exchange(tmp_path: Path, stack: Stack) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/exchange").write_text("AMI_HOST=pbx.example\nAMI_SECRET='a b'\n")
    script = """
        cp "$1"/ports "$STACK_DIR"
        . ops/stack/settings.sh
        . ops/stack/environment.sh
        . "$STACK_DIR/ports"
        write_environments
    """
    environment = {**os.environ, "STACK_DIR": str(tmp_path)}
    subprocess.run(["bash", "-euc", script, "bash", stack.folder], cwd=ROOT, env=environment, check=True)
    told = {path.stem: path.read_text() for path in (tmp_path / "env").iterdir()}
    assert [name for name, text in told.items() if "AMI_SECRET='a b'" in text] == ["asterisk"]
    assert f"AMI_SPOOL={tmp_path}/exchange" in told["asterisk"].splitlines()
