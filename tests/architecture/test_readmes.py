"""Each service's README lists exactly what its code owns, publishes, subscribes to, answers and calls."""

import importlib
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from shared.contracts import topology
from shared.contracts.service import Service
from shared.contracts.wire import EVENT_REGISTRATIONS
from shared.http.entrypoint import Http
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import Rpc, RpcClient
from shared.plumbing.subscriptions import Subscription

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/service.py"))
SECTIONS = ("Owns", "Publishes", "Subscribes", "Answers", "Calls", "Needs")
MAX_LINES = 60
TERM = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]+\.(py|md|sql|yml)")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")


@dataclass
class Entrypoints:
    """The entrypoints and clients of the classes in a service's service.py."""

    queues: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    exchanges: set[str] = field(default_factory=set)
    called_services: set[str] = field(default_factory=set)


def entrypoints(service: str) -> Entrypoints:
    collected = Entrypoints()
    module = importlib.import_module(f"services.{service}.service")
    for class_ in vars(module).values():
        if inspect.isclass(class_) and class_.__module__ == module.__name__:
            for _, member in inspect.getmembers(class_):
                _collect(collected, service, member)
    return collected


def _collect(collected: Entrypoints, service: str, member: Any) -> None:
    match member:
        case Relay():
            collected.exchanges.add(member.exchange)
        case RpcClient():
            collected.called_services.add(member.service)
    for entrypoint in getattr(member, ENTRYPOINT_EXTENSIONS_ATTR, ()):
        match entrypoint:
            case Subscription():
                collected.queues.add(entrypoint.queue)
            case Rpc():
                collected.methods.add(f"{service}.{member.__name__}")
            case Http():
                collected.routes |= {_route(f"{method} {entrypoint.url}") for method in entrypoint.method.split(",")}


def _route(text: str) -> str:
    """The route without parameter names: `GET /calls/<uuid:call_id>` and `GET /calls/{id}` are equal."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", text)


class Readme:
    """`terms[section]`: the terms in backquotes of each section."""

    def __init__(self, service: str) -> None:
        self.text = (ROOT / "services" / service / "README.md").read_text()
        parts = re.split(r"^\*\*(\w+)\*\*", self.text, flags=re.MULTILINE)
        self.sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.terms = {name: set(TERM.findall(text)) for name, text in self.sections.items()}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def readme(service: str) -> Readme:
    return Readme(service)


def declared(service: str) -> Service:
    declarations = {declaration.name: declaration for declaration in topology.SERVICES}
    assert service in declarations, f"{service} is missing: shared/contracts/{service}/service.py"
    return declarations[service]


def test_a_readme_has_its_sections_in_order_on_one_screen(readme: Readme) -> None:
    assert tuple(readme.sections) == SECTIONS
    assert len(readme.text.splitlines()) <= MAX_LINES


def test_every_file_that_a_readme_names_exists(service: str, readme: Readme) -> None:
    folders = (ROOT, ROOT / "services" / service)
    named = {term for term in TERM.findall(readme.text) if FILE.fullmatch(term)}
    assert {name for name in named if not any((folder / name).exists() for folder in folders)} == set()


def test_a_readme_lists_the_exchanges_that_the_service_publishes_to(service: str, readme: Readme) -> None:
    assert readme.terms["Publishes"] & set(topology.EXCHANGES) == set(declared(service).publishes)
    assert entrypoints(service).exchanges <= set(declared(service).publishes)


def test_a_readme_lists_every_event_that_the_service_publishes(service: str, readme: Readme) -> None:
    types = {
        name
        for name, wire in EVENT_REGISTRATIONS.items()
        if wire.schema.__module__ == f"shared.contracts.{service}.schemas"
    }
    assert readme.terms["Publishes"] & set(EVENT_REGISTRATIONS) == types


def test_a_readme_lists_the_queues_of_the_topology_and_each_has_a_subscription(service: str, readme: Readme) -> None:
    queues = {queue.name: queue.exchanges for queue in topology.QUEUES if queue.service == service}
    assert entrypoints(service).queues == set(queues)
    assert readme.terms["Subscribes"] & {queue.name for queue in topology.QUEUES} == set(queues)
    assert readme.terms["Subscribes"] & set(topology.EXCHANGES) == set().union(*queues.values())


def test_a_readme_lists_the_rpc_methods_of_the_service(service: str, readme: Readme) -> None:
    named = {term for term in readme.terms["Answers"] if term.startswith(f"{service}.")}
    assert named == entrypoints(service).methods


def test_a_readme_lists_the_routes_of_the_service(service: str, readme: Readme) -> None:
    assert {_route(term) for term in readme.terms["Answers"] if ROUTE.fullmatch(term)} == entrypoints(service).routes


def test_a_readme_lists_the_declared_calls_and_the_called_methods_exist(service: str, readme: Readme) -> None:
    methods = {method for name in SERVICES for method in entrypoints(name).methods}
    assert readme.terms["Calls"] & methods == set(declared(service).calls)
    assert set(declared(service).calls) <= methods
    assert entrypoints(service).called_services == {method.partition(".")[0] for method in declared(service).calls}


def test_calls_between_services_form_no_cycle_and_are_at_most_three_deep() -> None:
    called = {
        declaration.name: {method.partition(".")[0] for method in declaration.calls}
        for declaration in topology.SERVICES
    }

    def depth(name: str, path: tuple[str, ...] = ()) -> int:
        assert name not in path, f"{' -> '.join((*path, name))}"
        return 1 + max((depth(other, (*path, name)) for other in called[name]), default=0)

    assert max(map(depth, called)) <= 3, "a caller, the called service, and at most one more"
