"""A service's README says what the code does: what it says, hears, answers and needs, no more and no less."""

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
SECTIONS = ("Owns", "Says", "Hears", "Answers", "Needs")
ONE_SCREEN = 60
WORD = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]+\.(py|md|sql|yml)")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")


@dataclass
class Doors:
    """What the classes of a service's service.py do, as Nameko will find it."""

    queues: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    exchanges: set[str] = field(default_factory=set)
    asks: set[str] = field(default_factory=set)


def doors(service: str) -> Doors:
    found = Doors()
    module = importlib.import_module(f"services.{service}.service")
    for class_ in vars(module).values():
        if inspect.isclass(class_) and class_.__module__ == module.__name__:
            for _, member in inspect.getmembers(class_):
                _note(found, service, member)
    return found


def _note(found: Doors, service: str, member: Any) -> None:
    match member:
        case Relay():
            found.exchanges.add(member.exchange)
        case RpcClient():
            found.asks.add(member.service)
    for entrypoint in getattr(member, ENTRYPOINT_EXTENSIONS_ATTR, ()):
        match entrypoint:
            case Subscription():
                found.queues.add(entrypoint.queue)
            case Rpc():
                found.methods.add(f"{service}.{member.__name__}")
            case Http():
                found.routes |= {_route(f"{method} {entrypoint.url}") for method in entrypoint.method.split(",")}


def _route(text: str) -> str:
    """`GET /calls/<uuid:call_id>` and `GET /calls/{id}` are the same."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", text)


class Readme:
    """`words[section]`: what stands between backquotes in each section."""

    def __init__(self, service: str) -> None:
        self.text = (ROOT / "services" / service / "README.md").read_text()
        parts = re.split(r"^\*\*(\w+)\*\*", self.text, flags=re.MULTILINE)
        self.sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.words = {name: set(WORD.findall(text)) for name, text in self.sections.items()}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def readme(service: str) -> Readme:
    return Readme(service)


def declared(service: str) -> Service:
    found = {one.name: one for one in topology.SERVICES}
    assert service in found, f"{service} is missing: shared/contracts/{service}/service.py"
    return found[service]


def test_a_readme_has_its_five_parts_in_order_on_one_screen(readme: Readme) -> None:
    assert tuple(readme.sections) == SECTIONS
    assert len(readme.text.splitlines()) <= ONE_SCREEN


def test_every_file_that_it_names_is_there(service: str, readme: Readme) -> None:
    rooms = (ROOT, ROOT / "services" / service)
    named = {word for word in WORD.findall(readme.text) if FILE.fullmatch(word)}
    assert {name for name in named if not any((room / name).exists() for room in rooms)} == set()


def test_it_says_to_which_exchanges_it_speaks(service: str, readme: Readme) -> None:
    assert readme.words["Says"] & set(topology.EXCHANGES) == set(declared(service).publishes)
    assert doors(service).exchanges <= set(declared(service).publishes)


def test_an_owner_names_every_event(service: str, readme: Readme) -> None:
    types = {
        name
        for name, wire in EVENT_REGISTRATIONS.items()
        if wire.schema.__module__ == f"shared.contracts.{service}.schemas"
    }
    assert readme.words["Says"] & set(EVENT_REGISTRATIONS) == types


def test_it_hears_the_queues_of_the_topology_and_each_is_listened_to(service: str, readme: Readme) -> None:
    queues = {queue.name: queue.exchanges for queue in topology.QUEUES if queue.service == service}
    assert doors(service).queues == set(queues)
    assert readme.words["Hears"] & {queue.name for queue in topology.QUEUES} == set(queues)
    assert readme.words["Hears"] & set(topology.EXCHANGES) == set().union(*queues.values())


def test_it_answers_the_rpc_methods_it_has(service: str, readme: Readme) -> None:
    named = {word for word in readme.words["Answers"] if word.startswith(f"{service}.")}
    assert named == doors(service).methods


def test_it_answers_the_routes_it_has(service: str, readme: Readme) -> None:
    assert {_route(word) for word in readme.words["Answers"] if ROUTE.fullmatch(word)} == doors(service).routes


def test_it_needs_the_methods_that_it_may_call_and_they_exist(service: str, readme: Readme) -> None:
    methods = {method for one in SERVICES for method in doors(one).methods}
    assert readme.words["Needs"] & methods == set(declared(service).calls)
    assert set(declared(service).calls) <= methods
    assert doors(service).asks == {method.partition(".")[0] for method in declared(service).calls}


def test_nobody_asks_in_a_circle() -> None:
    asks = {one.name: {method.partition(".")[0] for method in one.calls} for one in topology.SERVICES}

    def depth(name: str, path: tuple[str, ...] = ()) -> int:
        assert name not in path, f"{' -> '.join((*path, name))}"
        return 1 + max((depth(other, (*path, name)) for other in asks[name]), default=0)

    assert max(map(depth, asks)) <= 3, "a caller, the asked, and at most one more"
