"""Owners of streams are alike: no one may import another, so what all of them have stands in each, and is held here."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema

from shared.contracts.topology import EVENT_SOURCES

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


def asked(owner: str, schema: str) -> dict[str, Any]:
    """What a schema of an owner's RPC takes or gives, by field."""
    shape: Schema = getattr(importlib.import_module(f"services.{owner}.schemas"), schema)()
    return {
        name: (type(field), field.required, field.allow_none, field.load_default, repr(field.validate))
        for name, field in shape.fields.items()
        if name != "owner"
    }


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


@pytest.mark.parametrize("schema", ["CallQuerySchema", "ResendSchema", "TimelineEventSchema"])
def test_owners_are_asked_alike_and_answer_alike(owner: str, schema: str) -> None:
    assert asked(owner, schema) == asked(MODEL, schema)
