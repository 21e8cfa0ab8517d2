"""The OpenAPI document says what the schemas check, what the table allows and what the doors answer."""

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from marshmallow import Schema, fields, validate

from services.gateway import service  # noqa: F401  (hangs the doors)
from services.gateway.domain.permissions import PERMISSIONS
from services.gateway.endpoints.endpoint import ENDPOINTS, EndpointSpec
from services.gateway.endpoints.openapi.document import document, path_of
from services.gateway.endpoints.openapi.html_page import curl
from services.gateway.http.schemas import Moment, says
from shared.contracts.values import Direction, Role
from shared.contracts.wire import Instant, Length, text

DOCUMENT = document(ENDPOINTS)
STORED = r"^[^\u0000]*$"
DECIMAL = r"^-?\d+(\.\d+)?$"
every_door = pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)


class ThingSchema(Schema):
    """A thing. For those who read the code there is more to say."""

    at = Instant(required=True, allow_none=True)
    since = Moment(data_key="from")
    waited = Length()
    amount = fields.Decimal(as_string=True, allow_none=True)
    talk = fields.Decimal(load_default=None, validate=validate.Range(0, 10))
    role = fields.Enum(Role, by_value=True, allow_none=True)
    name = fields.String(validate=[text(200)], metadata=says("What it is called."))
    directions = fields.List(fields.Enum(Direction, by_value=True))


def spec(**changed) -> EndpointSpec:
    known = {
        "name": "show_call",
        "method": "GET",
        "path": "/api/v1/things/<thing_id>",
        "query": Schema(),
        "headers": Schema(),
        "body": None,
    }
    said = {"answers": {200: ThingSchema()}, "body_limit": 1, "summary": "Show.", "description": ""}
    return EndpointSpec(**{**known, **said, **changed})


def shape() -> dict:
    return document({"x": spec()})["components"]["schemas"]["Thing"]


def test_a_schema_is_told_as_it_checks():
    told = shape()["properties"]
    assert told["at"] == {"type": ["string", "null"], "format": "date-time"}
    assert told["from"] == {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    assert told["waited"] == {"type": "string", "pattern": DECIMAL}
    assert told["amount"] == {"type": ["string", "null"], "pattern": DECIMAL}
    assert told["role"] == {"type": ["string", "null"], "enum": [*Role, None]}
    assert told["name"] == {
        "type": "string", "minLength": 1, "maxLength": 200, "pattern": STORED, "description": "What it is called."
    }  # fmt: skip
    assert told["directions"] == {"type": "array", "items": {"type": "string", "enum": list(Direction)}}
    assert shape()["required"] == ["at"]
    assert shape()["additionalProperties"] is False
    assert shape()["description"] == "A thing."


def test_nothing_is_asked_for_as_null():
    [operation] = document({"x": spec(query=ThingSchema())})["paths"]["/api/v1/things/{thing_id}"].values()
    asked = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert asked["talk"] == {"type": "number", "minimum": 0, "maximum": 10}
    assert asked["role"] == {"type": "string", "enum": list(Role)}


@every_door
def test_a_door_tells_who_may_come_in_as_the_table_has_it(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    assert set(operation["x-roles"]) == PERMISSIONS[spec.name]
    assert bool(operation["security"]) is not spec.is_public
    assert ("401" in operation["responses"]) >= (not spec.is_public)
    assert ("403" in operation["responses"]) is not spec.is_public


def test_a_stream_tells_of_the_header_by_which_it_goes_on():
    parameters = DOCUMENT["paths"]["/api/v1/journal/stream"]["get"]["parameters"]
    [header] = [parameter for parameter in parameters if parameter["in"] == "header"]
    assert (header["name"], header["required"], header["schema"]["type"]) == ("Last-Event-ID", False, "string")


@every_door
def test_every_parameter_of_a_query_says_what_it_means(spec: EndpointSpec):
    asked = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]["parameters"]
    assert [one["name"] for one in asked if one["in"] != "path" and not one.get("description")] == []


def test_a_parameter_for_few_says_for_whom():
    asked = {parameter["name"]: parameter for parameter in DOCUMENT["paths"]["/api/v1/journal"]["get"]["parameters"]}
    assert set(asked["account"]["x-roles"]) == PERMISSIONS["show_journal_of_account"]
    assert "x-roles" not in asked["party"]


@every_door
def test_a_write_may_be_repeated_under_a_key(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    repeatable = "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert repeatable is (spec.writes and not spec.is_public)


@every_door
def test_every_example_is_what_its_schema_says(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    contents = [
        holder.get("content", {}) for holder in (operation.get("requestBody", {}), *operation["responses"].values())
    ]
    shown = [*operation["parameters"], *(one for content in contents for one in content.values() if "example" in one)]
    for one in shown:
        schema = {**one["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(one["example"])


@pytest.mark.parametrize("spec", [p for p in ENDPOINTS.values() if isinstance(p.body, Schema)], ids=lambda p: p.name)
def test_the_example_of_a_body_is_taken(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    assert spec.body.validate(operation["requestBody"]["content"]["application/json"]["example"]) == {}


def test_a_line_to_try_has_all_that_is_required_and_survives_the_shell():
    body = {"content": {"application/json": {"example": {"name": "о'Генрі"}}}}
    parameters = [
        {"in": "path", "name": "id", "required": True, "example": "7"},
        {"in": "query", "name": "to", "required": True, "example": "2026-12-01"},
        {"in": "query", "name": "q", "required": False, "example": "x"},
    ]
    line = curl("PUT", "/things/{id}", {"parameters": parameters, "security": [{"bearer": []}], "requestBody": body})
    assert line == (
        'curl -sS -X PUT "$BASE_URL/things/7?to=2026-12-01" -H "Authorization: Bearer $TOKEN" '
        """-H 'Content-Type: application/json' --data '{"name": "о'"'"'Генрі"}'"""
    )
