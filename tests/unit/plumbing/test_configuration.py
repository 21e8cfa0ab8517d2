"""A service's configuration: its file, with the environment's words in it, and what is the house's own to say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.contracts import topology
from tests.support.infrastructure import ROOT
from tools import definitions

# In a process of its own: the runner patches every socket when it is imported.
READ = """
import json, pathlib, sys
from shared.plumbing.runner import configuration
print(json.dumps(configuration(pathlib.Path(sys.argv[1]))))
"""


def read(folder: Path, **env: str) -> tuple[Any, str]:
    path = folder / "config.yml"
    path.write_text("NAME: ${A_NAME}\nNUMBER: ${A_NUMBER:8}\nACCEPT: [pickle]\nHEARTBEAT: 1\n")
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, env=os.environ | env, cwd=ROOT, capture_output=True, text=True, check=False)
    return json.loads(done.stdout or "null"), done.stderr


def test_the_environment_and_the_defaults_fill_the_file_and_nothing_but_json_is_accepted(tmp_path: Path) -> None:
    config, _ = read(tmp_path, A_NAME="calls")
    assert (config["NAME"], config["NUMBER"], config["HEARTBEAT"]) == ("calls", 8, 1)
    assert (config["ACCEPT"], config["DECLARE_EVENT_EXCHANGES"]) == (["json"], False)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    config, said = read(tmp_path)
    assert config is None
    assert "config.yml needs A_NAME in the environment." in said


def test_equal_passwords_give_equal_definitions() -> None:
    words = dict.fromkeys(["admin", *(service.name for service in topology.SERVICES)], "word")
    assert definitions.definitions(words) == definitions.definitions(words)
