"""Nothing is written that a door does not take: every property of every other schema is refused and changes nothing."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from marshmallow import Schema
from psycopg import sql

from services.gateway.endpoints.endpoint import EndpointSpec
from services.gateway.service import ENDPOINTS
from shared.plumbing.database import Postgres
from tests.service.gateway import samples
from tests.service.gateway.samples import DOCUMENT
from tests.service.gateway.scenario import Thing, World
from tests.support.infrastructure import TABLES, Broker

SCHEMAS = DOCUMENT["components"]["schemas"]
NAMES = {name for schema in SCHEMAS.values() for name in schema.get("properties", {})}
TAKES_JSON = {name: spec for name, spec in ENDPOINTS.items() if isinstance(spec.body, Schema)}
COMES_AND_GOES = {"sessions", "idempotency_keys"}
CONTENT = "select count(*), sum(hashtext((to_jsonb(t) - 'last_used_at')::text)) from {} t"
Way = tuple[str | int, ...]

pytestmark = pytest.mark.usefixtures("owners")


def levels(schema: Any, body: Any, way: Way = ()) -> Iterator[tuple[Way, set[str]]]:
    """Every object in a body: the way to it, and the names that it may have."""
    schema = resolved(schema)
    if isinstance(body, list):
        yield from levels(schema.get("items", {}), body[0], (*way, 0)) if body else ()
    elif isinstance(body, dict) and "properties" in schema:
        properties = schema["properties"] | variant(schema, body)
        yield way, {name for name, told in properties.items() if not told.get("readOnly")}
        for name, value in body.items():
            yield from levels(properties[name], value, (*way, name))


def resolved(schema: Any) -> Any:
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def variant(schema: Any, body: Any) -> Any:
    variants = [one["properties"] for one in schema.get("oneOf", ())]
    return next((one for one in variants if one["type"]["const"] == body["type"]), {})


def with_names(body: Any, way: Way, names: set[str]) -> Any:
    made = there = deepcopy(body)
    for step in way:
        there = there[step]
    there.update(dict.fromkeys(names, "1"))
    return made


def named(errors: Any) -> set[str]:
    """Every name in the paths of the errors of an answer."""
    return {name for path in errors for name in path.split(".")}


def content(db: Postgres) -> dict[str, Any]:
    with db.connection() as conn:
        tables = {name for (name,) in conn.execute(TABLES)} - COMES_AND_GOES
        return {name: conn.execute(sql.SQL(CONTENT).format(sql.Identifier(name))).fetchone() for name in tables}


@pytest.mark.parametrize("spec", TAKES_JSON.values(), ids=TAKES_JSON)
def test_a_foreign_property_is_refused_by_its_name_and_changes_nothing(
    world: World, broker: Broker, spec: EndpointSpec
):
    caller = world.callers.allowed(spec.roles)
    thing = Thing("own", samples.ids_of(spec, world.homes, world.company), world.company.tenant)
    body = samples.sent(spec, world.company)["json"]
    [told] = samples.operation(spec)["requestBody"]["content"].values()
    before, tried = content(world.homes.gateway), list(levels(told["schema"], body))
    for way, own in tried:
        foreign = NAMES - own
        answer = world.knock(spec, caller, thing, json=with_names(body, way, foreign))
        assert answer.status_code == 422, f"{way}: {answer.text}"
        assert foreign <= named(answer.json()["errors"]), way
    assert tried
    assert content(world.homes.gateway) == before
    assert broker.count("calls.reports") == 0
