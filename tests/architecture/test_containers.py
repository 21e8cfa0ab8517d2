"""The containers of the Compose files and the images of the Dockerfiles."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.topology import DATABASES, PROCESSES
from tools import compose

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "ops/compose/services.yml"
REPLACED = {"test", "command"}
"""Lists that Compose replaces when it merges files; it joins others."""


def merged(first: Any, second: Any, key: str = "") -> Any:
    """Two values of a key as Compose merges them."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {name: merged(first[name], second[name], name) for name in first.keys() & second.keys()}
        return {**first, **second, **both}
    if isinstance(first, list) and isinstance(second, list) and key not in REPLACED:
        return first + second
    return second


[INCLUDED] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["include"]
COMPOSE = reduce(merged, (yaml.safe_load((ROOT / path).read_text()) for path in INCLUDED["path"]))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {name for name, service in SERVICES.items() if service["restart"] == "no"}
OPTIONAL = {name for name, process in PROCESSES.items() if process.is_optional}
"""Started by their Compose profile only."""
DOCKERFILES = {"Dockerfile": ROOT / "Dockerfile", "ops/compose/Dockerfile": ROOT / "ops/compose/Dockerfile"}
SECRET = re.compile(r"password|secret|token|_uri|_url|key$", re.IGNORECASE)


def stages(dockerfile: str) -> dict[str, list[str]]:
    """The lines of each stage, those of its parents first; the name of the last stage is empty."""
    lines_of: dict[str, list[str]] = {}
    for part in re.split(r"^FROM ", DOCKERFILES[dockerfile].read_text(), flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        parent, _, name = head.partition(" AS ")
        lines_of[name] = [*lines_of.get(parent, []), *lines]
    return lines_of


def image_lines(service: dict[str, Any]) -> list[str]:
    build = service["build"]
    return stages(build.get("dockerfile", "Dockerfile"))[build.get("target", "")]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


@pytest.fixture(params=sorted(SERVICES.keys() - JOBS))
def long_running(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


def test_the_containers_of_the_services_are_as_declared() -> None:
    assert GENERATED.read_text() == compose.services_file(), f"{GENERATED.name} is out of date: {compose.WRITE_AGAIN}"


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_runs_in_a_container_with_its_command(process: str) -> None:
    assert SERVICES[process]["command"] == compose.command(PROCESSES[process])


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_has_the_image_and_the_secrets_of_its_service(process: str) -> None:
    owner = PROCESSES[process].service
    assert SERVICES[process]["build"]["args"] == {"SERVICE": owner}
    assert SERVICES[process]["volumes"][0] == f"{owner}:/run/stack/env:ro"
    assert f"{owner}:/secrets-for/{owner}" in SERVICES["secrets"]["volumes"]


def test_only_exports_recordings_and_the_spool_of_an_agent_are_written_to_a_disk() -> None:
    writable = {process: more for process in PROCESSES if (more := SERVICES[process]["volumes"][1:])}
    assert writable == {
        "gateway": ["exports:/var/exports"],
        "recordings": ["recordings-data:/var/lib/journal"],
        "asterisk": ["exchange:/var/lib/journal"],
    }
    assert SERVICES["gateway"]["environment"]["TMPDIR"] == "/var/exports"
    assert any("install -d -o journal /var/exports" in line for line in stages("Dockerfile")[""])


@pytest.mark.parametrize("name", DATABASES)
def test_the_tables_of_every_service_are_made_before_any_process_starts(name: str) -> None:
    assert SERVICES[f"{name}-tables"]["command"].endswith(f"shared.plumbing.migrate services/{name}")
    waits = [process for process in PROCESSES if f"{name}-tables" in SERVICES[process]["depends_on"]]
    assert waits == list(PROCESSES)


def test_an_optional_process_needs_its_profile_and_no_container_waits_for_it() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == OPTIONAL
    assert not [name for name, service in SERVICES.items() if OPTIONAL & set(service.get("depends_on", {}))]


def test_the_edge_waits_for_every_process() -> None:
    healthy = {name for name, on in SERVICES["edge"]["depends_on"].items() if on["condition"] == "service_healthy"}
    assert healthy == set(PROCESSES) - OPTIONAL


def test_a_long_running_container_has_a_health_check_and_restarts(long_running: dict[str, Any]) -> None:
    assert long_running["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert long_running["restart"] == "unless-stopped"


def test_a_container_is_hardened_and_bounded(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert service["stop_grace_period"] == "30s"
    assert service["mem_limit"]
    assert service["pids_limit"]


def test_no_container_runs_as_root(service: dict[str, Any]) -> None:
    users = [line.split()[1] for line in image_lines(service) if line.startswith("USER ")] if "build" in service else []
    user = service.get("user", users[-1] if users else "root")
    assert user.partition(":")[0] not in {"root", "0"}


def test_a_container_can_be_replicated(service: dict[str, Any]) -> None:
    assert "container_name" not in service
    assert "hostname" not in service
    assert "ports" not in service or service is SERVICES["edge"]


def test_nothing_is_mounted_from_the_machine(service: dict[str, Any]) -> None:
    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])


def test_no_secret_is_in_the_environment(service: dict[str, Any]) -> None:
    variables = {**service.get("environment", {}), **service.get("build", {}).get("args", {})}
    secrets = [name for name in variables if SECRET.search(name) and not name.endswith("_FILE")]
    assert set(secrets) <= {"BASE_URL"}


def test_no_image_is_built_with_a_secret() -> None:
    secrets = [
        name
        for path in DOCKERFILES.values()
        for line in re.findall(r"^(?:ARG|ENV) .*(?:\\\n.*)*", path.read_text(), re.MULTILINE)
        for name in re.findall(r"(\w+)=", line)
        if SECRET.search(name)
    ]
    assert secrets == []


def test_an_image_holds_one_service_and_only_the_gateways_holds_the_page() -> None:
    lines = stages("Dockerfile")[""]
    copied = [line for line in lines if line.startswith("COPY ")]
    assert [line for line in copied if "services" in line] == [
        "COPY services/__init__.py services/",
        "COPY services/$SERVICE services/$SERVICE",
    ]
    folders = {line.split()[1].partition("/")[0] for line in copied}
    assert folders == {"pyproject.toml", "ops", "shared", "services"}
    [page] = [line for line in lines if "web" in line]
    assert page.startswith("RUN --mount=type=bind,source=web,")
    assert '[ "$SERVICE" != gateway ] || cp -r ' in page


def test_no_image_holds_the_tests() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in ignored if not line.startswith("#")) == "*"
    assert "!tests" not in ignored
    assert not [line for name in DOCKERFILES for lines in stages(name).values() for line in lines if "tests" in line]


def test_a_process_gets_every_setting_that_the_private_servers_give_it() -> None:
    """Secrets come by file; every other setting of ops/stack/environment.sh is in the compose file or the image."""
    stack = (ROOT / "ops/stack/environment.sh").read_text().split("service_environment() {")[1].split("\n}\n")[0]
    settings = set(re.findall(r"^([A-Z_]+)=", stack, re.MULTILINE)) - {"RO_DATABASE_URL"}
    image = set(re.findall(r"([A-Z_]+)=", " ".join(stages("Dockerfile")[""])))
    containers = {name for process in PROCESSES for name in SERVICES[process]["environment"]}
    assert settings <= image | containers
