"""Read and write `demo.env`: shell assignments with address and logins of the demonstration system."""

import os
import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from tools.simulator.call_volume import KYIV

TENANT, OTHER_TENANT = "oselia", "krynytsia"
LINES_HELD_FROM = datetime(2020, 1, 1, tzinfo=KYIV)


def demo_env() -> Path:
    return Path(os.environ.get("STACK_DIR", ".stack")) / "demo.env"


def read(path: Path) -> dict[str, str]:
    """The assignments of the file; {} if it does not exist."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(encoding="utf-8"), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file atomically, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    with NamedTemporaryFile("w", dir=path.parent, prefix=".demo.env.", delete=False, encoding="utf-8") as file:
        file.write(text)
    Path(file.name).replace(path)
