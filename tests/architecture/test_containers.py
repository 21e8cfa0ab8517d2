"""What docker-compose.yml and the Dockerfile promise."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts import topology

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}
OPTIONAL = {"asterisk"}
"""Started by their profile only: who has no exchange of the kind runs everything else."""
DOCKERFILES = {"Dockerfile": ROOT / "Dockerfile", "ops/compose/Dockerfile": ROOT / "ops/compose/Dockerfile"}
SECRET = re.compile(r"password|secret|token|_uri|_url|key$", re.IGNORECASE)


def stages(dockerfile: str) -> dict[str, list[str]]:
    """The lines of each stage, its ancestors' first; the last stage is also the stage without a name."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^FROM ", DOCKERFILES[dockerfile].read_text(), flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        parent, _, name = head.partition(" AS ")
        found[name] = [*found.get(parent, []), *lines]
    return found


def image_lines(service: dict[str, Any]) -> list[str]:
    build = service["build"]
    return stages(build.get("dockerfile", "Dockerfile"))[build.get("target", "")]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


@pytest.fixture(params=sorted(SERVICES.keys() - ONCE))
def lasting(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


@pytest.mark.parametrize("process", PROCFILE)
def test_every_process_runs_in_a_container_as_in_the_procfile(process: str) -> None:
    assert SERVICES[process]["command"] == PROCFILE[process].removeprefix("ops/stack/supervise ")


@pytest.mark.parametrize("process", PROCFILE)
def test_a_process_has_the_image_and_the_secrets_of_its_service(process: str) -> None:
    owner = PROCFILE[process].split("ops/stack/run-as-service ")[1].split()[0]
    assert SERVICES[process]["build"]["args"] == {"SERVICE": owner}
    assert SERVICES[process]["volumes"][0] == f"{owner}:/run/stack/env:ro"


def test_only_exports_recordings_and_what_an_exchange_said_are_written_to_a_disk() -> None:
    writable = {process: more for process in PROCFILE if (more := SERVICES[process]["volumes"][1:])}
    assert writable == {
        "gateway": ["exports:/var/exports"],
        "recordings": ["recordings-data:/var/lib/journal"],
        "asterisk": ["exchange:/var/lib/journal"],
    }
    assert SERVICES["gateway"]["environment"]["TMPDIR"] == "/var/exports"
    assert any("install -d -o journal /var/exports" in line for line in stages("Dockerfile")[""])


@pytest.mark.parametrize("name", [service.name for service in topology.SERVICES])
def test_the_tables_of_every_service_are_made_before_any_process_starts(name: str) -> None:
    assert SERVICES[f"{name}-tables"]["command"].endswith(f"shared.plumbing.migrate services/{name}")
    waits = [process for process in PROCFILE if f"{name}-tables" in SERVICES[process]["depends_on"]]
    assert waits == list(PROCFILE)
    assert f"{name}:/told/{name}" in SERVICES["secrets"]["volumes"]


def test_what_is_optional_waits_for_its_profile_and_nobody_waits_for_it() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == OPTIONAL
    assert not [name for name, service in SERVICES.items() if OPTIONAL & set(service.get("depends_on", {}))]


def test_the_edge_waits_for_every_process() -> None:
    healthy = {name for name, on in SERVICES["edge"]["depends_on"].items() if on["condition"] == "service_healthy"}
    assert healthy == set(PROCFILE) - OPTIONAL


def test_what_lasts_has_a_health_check_and_comes_back(lasting: dict[str, Any]) -> None:
    assert lasting["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert lasting["restart"] == "unless-stopped"


def test_a_container_is_hardened_and_bounded(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert service["stop_grace_period"] == "30s"
    assert service["mem_limit"]
    assert service["pids_limit"]


def test_nobody_is_root(service: dict[str, Any]) -> None:
    users = [line.split()[1] for line in image_lines(service) if line.startswith("USER ")] if "build" in service else []
    user = service.get("user", users[-1] if users else "root")
    assert user.partition(":")[0] not in {"root", "0"}


def test_a_container_can_have_a_twin(service: dict[str, Any]) -> None:
    assert "container_name" not in service
    assert "hostname" not in service
    assert "ports" not in service or service is SERVICES["edge"]


def test_nothing_is_mounted_from_the_machine(service: dict[str, Any]) -> None:
    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])


def test_no_secret_is_in_the_environment(service: dict[str, Any]) -> None:
    told = {**service.get("environment", {}), **service.get("build", {}).get("args", {})}
    assert [name for name in told if SECRET.search(name) and not name.endswith("_FILE") and name != "BASE_URL"] == []


def test_no_image_is_made_with_a_secret() -> None:
    words = [
        word
        for path in DOCKERFILES.values()
        for line in re.findall(r"^(?:ARG|ENV) .*(?:\\\n.*)*", path.read_text(), re.MULTILINE)
        for word in re.findall(r"(\w+)=", line)
        if SECRET.search(word)
    ]
    assert words == []


def test_an_image_holds_one_service() -> None:
    copied = [line for line in stages("Dockerfile")[""] if line.startswith("COPY ")]
    assert [line for line in copied if "services" in line] == [
        "COPY services/__init__.py services/",
        "COPY services/$SERVICE services/$SERVICE",
    ]
    assert not {"COPY . .", "COPY tools tools", "COPY tests tests"} & set(copied)


def test_a_process_is_told_what_the_private_servers_tell_it() -> None:
    """Secrets come by file; every other setting of ops/stack/environment.sh is in the compose file or the image."""
    stack = (ROOT / "ops/stack/environment.sh").read_text().split("service_environment() {")[1].split("\n}\n")[0]
    named = set(re.findall(r"^([A-Z_]+)=", stack, re.MULTILINE)) - {"RO_DATABASE_URL"}
    image = set(re.findall(r"([A-Z_]+)=", " ".join(stages("Dockerfile")[""])))
    compose = {name for process in PROCFILE for name in SERVICES[process]["environment"]}
    assert named <= image | compose
