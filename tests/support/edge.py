"""An edge of a test's own, with the settings of the real one."""

import os
import subprocess
from pathlib import Path

from tests.support.infrastructure import ROOT, Service, Services, eventually

SETTINGS = '. ops/stack/settings.sh; . ops/stack/edge.sh; edge_settings "$@"'


def edge_settings(folder: Path, port: int, gateway: str, trusted: str = "") -> str:
    """What nginx is told to listen at `port` before `gateway` ("host:port") and to believe `trusted` proxies."""
    words = [str(folder), f"127.0.0.1:{port}", gateway, "127.0.0.1:9"]
    command, environment = ["bash", "-euc", SETTINGS, "edge", *words], {**os.environ, "TRUSTED_PROXY": trusted}
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def start_edge(services: Services, folder: Path, settings: str) -> Service:
    """One process, which ends with the other services."""
    (folder / "nginx.conf").write_text(settings)
    files = ["-e", f"{folder}/log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
    command = ["nginx", *files, "-g", "daemon off; master_process off;"]
    edge = services.spawn(command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, ready=False)
    eventually((folder / "pid").exists)
    return edge
