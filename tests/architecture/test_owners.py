"""Owners of streams are alike: no one may import another, so what all of them have stands in each, and is held here."""

import importlib
import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from shared.contracts.rpc import RpcMethod, methods_of
from shared.contracts.topology import EVENT_SOURCES
from shared.plumbing.rpc import Rpc

ROOT = Path(__file__).parents[2]
MODEL = "comments"
"""The owner that the others are held against: the one to copy."""
TABLES = {"events", "outbox", "inbox", "commands"}
"""What `shared/plumbing` reads and writes, in every owner's own database."""
STATEMENT = re.compile(r"\b(?:table|on|from|update)\s+(?:only\s+)?(\w+)")


def statements(owner: str) -> dict[str, list[str]]:
    """What the migrations of an owner do to each of TABLES, in order, as of anybody's."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "services" / owner / "migrations").glob("*.sql")):
        for written in re.sub(r"--.*", "", path.read_text()).split(";"):
            statement = " ".join(written.split()).replace(f"{owner}_app", "OWNER_app")
            for table in TABLES & set(STATEMENT.findall(statement)):
                found.setdefault(table, []).append(statement)
    return found


@pytest.fixture(params=[owner for owner in EVENT_SOURCES if owner != MODEL])
def owner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_tables_of_streams_are_alike(owner: str) -> None:
    ours, theirs = statements(MODEL), statements(owner)
    assert set(ours) >= TABLES - {"inbox"}
    assert {table: done for table, done in theirs.items() if table != "inbox"} == ours


def test_whoever_remembers_what_it_has_heard_remembers_it_alike() -> None:
    found = [statements(owner)["inbox"] for owner in EVENT_SOURCES if "inbox" in statements(owner)]
    assert found
    assert all(done == found[0] for done in found)


@pytest.mark.parametrize("method", ["timeline", "resend"])
def test_owners_answer_the_common_methods_alike(owner: str, method: str) -> None:
    ours, theirs = contract(MODEL, method), contract(owner, method)
    assert (ours.owner, theirs.owner) == (MODEL, owner)
    assert replace(theirs, owner=MODEL, request=ours.request, response=ours.response) == ours
    assert type(theirs.request) is type(ours.request)
    assert type(theirs.response) is type(ours.response)


@pytest.mark.parametrize("service", sorted(path.parent.name for path in (ROOT / "services").glob("*/service.py")))
def test_every_rpc_method_has_a_contract_and_every_contract_a_method(service: str) -> None:
    module = importlib.import_module(f"services.{service}.service")
    served = {
        entrypoint.contract.routing_key
        for class_ in vars(module).values()
        if inspect.isclass(class_) and class_.__module__ == module.__name__
        for _, member in inspect.getmembers(class_)
        for entrypoint in getattr(member, ENTRYPOINT_EXTENSIONS_ATTR, ())
        if isinstance(entrypoint, Rpc)
    }
    contracts = ROOT / "shared" / "contracts" / service / "rpc.py"
    defined = methods_of(importlib.import_module(f"shared.contracts.{service}.rpc")) if contracts.exists() else ()
    assert served == {method.routing_key for method in defined}
    assert all(method.owner == service for method in defined)


def contract(owner: str, method: str) -> RpcMethod:
    found: RpcMethod = getattr(importlib.import_module(f"shared.contracts.{owner}.rpc"), method)
    return found
