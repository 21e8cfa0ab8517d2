"""A service is declared once; what does not agree with its declaration is named."""

import importlib
import inspect
from pathlib import Path

import pytest

from shared.contracts import topology
from tools.streams import owned_streams

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / "services").glob("*/__init__.py"))
DECLARED = {service.name: service for service in topology.SERVICES}


def process_classes(service: str) -> set[str]:
    """The classes of its service.py that a process can run."""
    if not (ROOT / "services" / service / "service.py").exists():
        return set()
    module = importlib.import_module(f"services.{service}.service")
    return {
        name
        for name, member in vars(module).items()
        if inspect.isclass(member) and member.__module__ == module.__name__ and hasattr(member, "name")
    }


def creates_events(service: str) -> bool:
    """Whether a migration creates the table of events."""
    migrations = (ROOT / "services" / service / "migrations").glob("*.sql")
    return any("create table events (" in path.read_text() for path in migrations)


def problems(service: str) -> dict[str, bool]:
    """What may be missing or wrong, and whether it is."""
    declared = DECLARED.get(service)
    if declared is None:
        return {f"is missing: shared/contracts/{service}/service.py": True}
    owner = creates_events(service)
    return {
        "has another name than its folder": not (ROOT / "shared/contracts" / service / "service.py").exists(),
        "does not declare the processes of its service.py": set(declared.processes) != process_classes(service),
        "does not declare a database, but has migrations": declared.has_database
        != (ROOT / "services" / service / "migrations").is_dir(),
        "does not declare the kinds of its streams": bool(declared.owns_streams) != owner,
        "has streams, but does not publish its events": owner and f"{service}.events" not in declared.publishes,
        "is missing in services/gateway/README.md": owner
        and f"`{service}.events`" not in (ROOT / "services/gateway/README.md").read_text(),
    }


@pytest.mark.parametrize("service", FOLDERS)
def test_a_service_agrees_with_its_declaration(service: str) -> None:
    named = [f"{service} {problem}" for problem, applies in problems(service).items() if applies]
    assert not named, "\n".join(named)


def test_every_declared_service_exists() -> None:
    assert sorted(DECLARED) == FOLDERS


@pytest.mark.parametrize("owner", topology.EVENT_SOURCES)
def test_an_owner_lists_every_kind_of_its_streams_for_the_tools(owner: str) -> None:
    kinds = owned_streams(owner).kinds
    assert {kind.name for kind in kinds} == set(DECLARED[owner].owns_streams)


def test_a_queue_belongs_to_the_service_that_declares_it() -> None:
    for service in topology.SERVICES:
        assert {queue.service for queue in service.subscribes} <= {service.name}


def test_no_two_services_own_streams_of_one_kind_or_run_processes_of_one_name() -> None:
    kinds = [kind for service in topology.SERVICES for kind in service.owns_streams]
    processes = sum(len(service.processes) + len(service.agents) for service in topology.SERVICES)
    assert len(kinds) == len(topology.STREAM_OWNERS)
    assert processes == len(topology.PROCESSES)
