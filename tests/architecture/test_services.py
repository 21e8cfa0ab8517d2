"""A service is in every place in which a service must be; what it is missing in is said by name."""

import importlib
import inspect
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.gateway.journal import projections
from shared.contracts import topology
from tests.support.system import PROCESSES
from tools import streams, verify_projections

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/service.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LAYERS = "Inside a service, imports point inward"


def processes(service: str) -> dict[str, type]:
    """The classes of its service.py that run, by what the runner is told."""
    module = importlib.import_module(f"services.{service}.service")
    classes = {name: one for name, one in vars(module).items() if inspect.isclass(one)}
    return {
        f"{module.__name__}:{name}": one
        for name, one in classes.items()
        if one.__module__ == module.__name__ and hasattr(one, "name")
    }


def owns(service: str) -> bool:
    """Whether it has streams."""
    migrations = (ROOT / "services" / service / "migrations").glob("*.sql")
    return any("create table events (" in path.read_text() for path in migrations)


def places(service: str) -> dict[str, bool]:
    """Every place in which the service must be, and whether it is."""
    procfile = {line.split()[-1]: line.split()[-5] for line in (ROOT / "Procfile").read_text().splitlines()}
    containers = {word for name, one in _compose().items() for word in (name, str(one.get("command")).split()[-1])}
    return {
        "shared/contracts/topology.py: SERVICES": service in {one.name for one in topology.SERVICES},
        **{f"Procfile: {target}": procfile.get(target) == service for target in processes(service)},
        **{
            f"tests/support/system.py: PROCESSES, {target}": target in PROCESSES.values()
            for target in processes(service)
        },
        "ops/stack/settings.sh: SERVICES": service in _words("ops/stack/settings.sh", r'^SERVICES="(.*)"'),
        **{f"docker-compose.yml: {name}": name in containers for name in (f"{service}-tables", *processes(service))},
        "pyproject.toml: an extra": service in PROJECT["project"]["optional-dependencies"],
        f"pyproject.toml: {LAYERS}": f"services.{service}" in _contract(LAYERS)["containers"],
        "README.md: where things are": f"`services/{service}`" in (ROOT / "README.md").read_text(),
        **(places_of_an_owner(service) if owns(service) else {}),
    }


def places_of_an_owner(service: str) -> dict[str, bool]:
    kinds = [prefix.rstrip("-") for prefix, owner in streams.OWNERS.items() if owner == service]
    return {
        "shared/contracts/topology.py: EVENT_SOURCES": service in topology.EVENT_SOURCES,
        "tools/streams.py: OWNERS": bool(kinds),
        "tools/streams.py: RESENDS": service in streams.RESENDS,
        "tools/verify_projections.py: ROWS": bool(kinds)
        and set(kinds) <= {rows.prefix.rstrip("-") for rows in verify_projections.ROWS},
        "services/gateway/journal/projections.py: STATES": bool(kinds) and set(kinds) <= set(projections.STATES),
    }


@cache
def _compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def _words(path: str, pattern: str) -> list[str]:
    found = re.search(pattern, (ROOT / path).read_text(), re.MULTILINE)
    assert found, f"{path} has no {pattern}"
    return found[1].split()


def _contract(name: str) -> dict[str, Any]:
    [found] = [one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["name"] == name]
    return dict(found)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_wherever_a_service_must_be(service: str) -> None:
    missing = [f"{service} is missing in {place}" for place, there in places(service).items() if not there]
    assert not missing, "\n".join(missing)


def test_nobody_speaks_of_a_service_that_is_not_there() -> None:
    assert {one.name for one in topology.SERVICES} == set(SERVICES)
