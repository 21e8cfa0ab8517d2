"""The system in containers: the project that COMPOSE_PROJECT_NAME names, on the engine that DOCKER_HOST names."""

import os
import shlex
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.infrastructure import ROOT

METRICS = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:9100/metrics').read().decode())"


def named() -> bool:
    """Whether the tests are told to ask a system in containers."""
    return "COMPOSE_PROJECT_NAME" in os.environ


def docker(*arguments: str, given: str = "", **env: str) -> str:
    """What the command says; `given` is its standard input. Raises CalledProcessError."""
    command, told = ["docker", *arguments], {**os.environ, **env}
    return subprocess.run(
        command, input=given, env=told, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def compose(*arguments: str, given: str = "", **env: str) -> str:
    return docker("compose", "--progress", "quiet", *arguments, given=given, **env)


def run(service: str, *command: str, given: str = "") -> str:
    """What a command says in a container of that service that is made for it and gone afterwards."""
    return compose("run", "--rm", "--no-deps", "--no-TTY", service, *command, given=given)


def inside(service: str, *command: str) -> str:
    """What a command says in the running container."""
    return compose("exec", "--no-TTY", service, *command)


def containers(*services: str) -> list[str]:
    """The ids, those of steps that are done too."""
    return compose("ps", "--all", "--quiet", *services).split()


def address() -> str:
    """Where the edge is published, as we reach it."""
    port = compose("port", "edge", "8080").strip().rpartition(":")[2]
    return f"http://{urlsplit(os.environ.get('DOCKER_HOST', '')).hostname or '127.0.0.1'}:{port}"


def demonstration() -> dict[str, str]:
    """The assignments of demo.env."""
    return dict(word.split("=", 1) for word in shlex.split(run("demo", "cat", "/run/stack/demo.env")))


@dataclass(frozen=True)
class Process:
    """One of the Procfile, in its container."""

    name: str

    def lines(self) -> list[str]:
        # Some versions clear the line of a terminal that is not there.
        return [line.removeprefix("\x1b[2K") for line in compose("logs", "--no-log-prefix", self.name).splitlines()]

    def kill(self) -> None:
        compose("kill", self.name)

    def start(self, **env: str) -> None:
        """`env`: those of its settings that docker-compose.yml takes from outside."""
        # Made without those it depends on, a container is another to the next "up" of all.
        alone = ["--no-deps"] if env else []
        compose("up", "--detach", "--wait", *alone, self.name, **env)

    def metrics(self) -> str:
        return inside(self.name, "python", "-c", METRICS)
