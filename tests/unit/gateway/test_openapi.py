"""The OpenAPI document agrees with the schemas, the access rules and the responses of the endpoints."""

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from marshmallow import Schema, fields, validate

from services.gateway.domain.permissions import PEOPLE, AccessRules
from services.gateway.endpoints.endpoint import EndpointSpec
from services.gateway.endpoints.openapi.document import document, path_of
from services.gateway.http.schemas import Moment, says
from services.gateway.service import ENDPOINTS
from shared.contracts.values import Direction, Role
from shared.contracts.wire import Instant, Length, text

DOCUMENT = document(ENDPOINTS)
STORED = r"^[^\u0000]*$"
DECIMAL = r"^-?\d+(\.\d+)?$"
each_endpoint = pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)


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
        "access": AccessRules(roles=PEOPLE),
        "idempotent": False,
        "query": Schema(),
        "headers": Schema(),
        "body": None,
    }
    said = {"answers": {200: ThingSchema()}, "body_limit": 1, "summary": "Show.", "description": ""}
    return EndpointSpec(**{**known, **said, **changed})


def shape() -> dict:
    return document({"x": spec()})["components"]["schemas"]["Thing"]


def test_a_schema_in_the_document_has_the_constraints_of_the_marshmallow_schema():
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


def test_a_query_parameter_is_never_null():
    [operation] = document({"x": spec(query=ThingSchema())})["paths"]["/api/v1/things/{thing_id}"].values()
    asked = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert asked["talk"] == {"type": "number", "minimum": 0, "maximum": 10}
    assert asked["role"] == {"type": "string", "enum": list(Role)}


@each_endpoint
def test_an_operation_has_the_roles_and_security_of_its_endpoint(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    assert set(operation["x-roles"]) == spec.roles
    assert bool(operation["security"]) is not spec.is_public
    assert ("401" in operation["responses"]) >= (not spec.is_public)
    assert ("403" in operation["responses"]) is not spec.is_public


def test_the_stream_documents_the_header_that_resumes_it():
    parameters = DOCUMENT["paths"]["/api/v1/journal/stream"]["get"]["parameters"]
    [header] = [parameter for parameter in parameters if parameter["in"] == "header"]
    assert (header["name"], header["required"], header["schema"]["type"]) == ("Last-Event-ID", False, "string")


@each_endpoint
def test_every_parameter_has_a_description(spec: EndpointSpec):
    asked = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]["parameters"]
    assert [one["name"] for one in asked if one["in"] != "path" and not one.get("description")] == []


def test_a_restricted_parameter_documents_its_roles():
    asked = {parameter["name"]: parameter for parameter in DOCUMENT["paths"]["/api/v1/journal"]["get"]["parameters"]}
    assert set(asked["account"]["x-roles"]) == ENDPOINTS["show_journal"].access.query_roles["account"]
    assert "x-roles" not in asked["party"]


@each_endpoint
def test_a_write_of_a_known_caller_accepts_an_idempotency_key(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    repeatable = "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert repeatable is (spec.writes and not spec.is_public)


@each_endpoint
def test_every_example_matches_its_schema(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    contents = [
        holder.get("content", {}) for holder in (operation.get("requestBody", {}), *operation["responses"].values())
    ]
    shown = [*operation["parameters"], *(one for content in contents for one in content.values() if "example" in one)]
    for one in shown:
        schema = {**one["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(one["example"])


@pytest.mark.parametrize("spec", [p for p in ENDPOINTS.values() if isinstance(p.body, Schema)], ids=lambda p: p.name)
def test_the_example_of_a_body_is_valid(spec: EndpointSpec):
    operation = DOCUMENT["paths"][path_of(spec)][spec.method.lower()]
    assert spec.body.validate(operation["requestBody"]["content"]["application/json"]["example"]) == {}


def test_the_document_can_be_sent_as_json():
    assert orjson.loads(orjson.dumps(DOCUMENT)) == DOCUMENT
