"""The OpenAPI 3.1 document, generated from the endpoint declarations and their schemas."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from marshmallow import Schema

from services.gateway.domain.keys import KeyKind
from services.gateway.domain.permissions import ANONYMOUS, KeyCredential, Roles
from services.gateway.endpoints.endpoint import MAX_IDEMPOTENCY_KEY_LENGTH, PROBLEM, EndpointSpec
from services.gateway.endpoints.openapi import converter
from services.gateway.endpoints.openapi.examples import example
from services.gateway.endpoints.openapi.problem import ProblemSchema
from shared.contracts.calls import reports
from shared.contracts.values import Role
from shared.contracts.wire import Json

VERSION = "1.0.0"
JSON = "application/json"
DESCRIPTION = """\
The journal of a company's telephone calls: who called whom, when, and how the call ended.

Instants are RFC 3339 in UTC; money and other decimals are strings. Unknown parameters and fields are refused. The order
of checks: credentials (401), role (403), scope (404), query and body (422). An object outside the caller's scope is
answered like one that does not exist: 404. Every error is a problem (RFC 9457) with a machine-readable `type`."""

PATH_ID = re.compile(r"<(?:\w+:)?(\w+)>")
SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "People: the token of POST /api/v1/sessions.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "Machines: a key of kind ingest may only send, a key of kind export may only read.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Machines, instead of the key: Signature key=<id>, at=<Unix seconds>, hmac=<HMAC-SHA256>.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "FreeSWITCH, instead of the header: the key is the password.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "People on the page: the same token, set by POST /api/v1/sessions, without other credentials.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "With the cookie on every write: the value of the cookie csrf, from the same origin.",
    },
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
CHALLENGE = {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}}
REFUSALS: dict[int, tuple[str, Json]] = {
    400: ("The body is not JSON.", {}),
    401: ("No credentials, or not valid ones.", CHALLENGE),
    403: ("The caller's role may not do this.", {}),
    404: ("Does not exist, or is not in the caller's scope: the two cannot be told apart.", {}),
    408: ("The body did not arrive in time.", {}),
    409: ("Conflicts with the present state; read it again.", {}),
    411: ("A body needs a Content-Length.", {}),
    413: ("The body is too large.", {}),
    415: ("The body has the wrong Content-Type.", {}),
    422: ("A parameter or a field is wrong; `errors` says which.", {}),
    429: ("Too many requests.", RETRY_AFTER),
    503: ("A required service does not answer in time.", RETRY_AFTER),
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the caller for one request and stored for a day: a repetition gets the first response,"
    " also a 409, and does nothing. After 401, 403, 404, 422 and 429 the key may be used again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_LENGTH},
    "example": "8f14e45f-ceea-467f-9575-0b9f6e3f6b1a",
}


def document(specs: Mapping[str, EndpointSpec]) -> Json:
    """The whole document, plain JSON."""
    document = APISpec(
        "Call Journal", VERSION, "3.1.0", plugins=[converter.plugin()], info={"description": DESCRIPTION}
    )
    document.plugins[0].converter.add_attribute_function(converter.our_fields)  # type: ignore[attr-defined]
    document.components.schema("Problem", schema=ProblemSchema())
    for name, scheme in SCHEMES.items():
        document.components.security_scheme(name, scheme)
    for status, (description, headers) in REFUSALS.items():
        document.components.response(
            _named(status), _problem(description, headers, {"$ref": "#/components/schemas/Problem"})
        )
    _add_report_variants(document)
    for spec in sorted(specs.values(), key=lambda spec: (spec.path, spec.method)):
        document.path(path_of(spec), operations={spec.method.lower(): _operation(document, spec)})
    rendered: Json = document.to_dict()
    _add_examples(rendered)
    return rendered


def path_of(spec: EndpointSpec) -> str:
    return PATH_ID.sub(r"{\1}", spec.path)


def subject_of(spec: EndpointSpec) -> str:
    """Endpoints are grouped by the first part of their path: journal, calls, sessions."""
    return spec.path.split("/")[3]


def refusals(spec: EndpointSpec) -> list[int]:
    """The statuses of refusals that follow from the declaration."""
    statuses = [422, 503]
    if spec.writes or not spec.is_public:
        statuses += [429]
    if not spec.is_public:
        statuses += [401, 403]
    if PATH_ID.search(spec.path):
        statuses += [404]
    if spec.body is not None:
        statuses += [408, 411, 413, 415]
    if isinstance(spec.body, Schema):
        statuses += [400]
    return statuses


def _operation(document: APISpec, spec: EndpointSpec) -> Json:
    operation: Json = {
        "operationId": spec.name,
        "tags": [subject_of(spec)],
        "summary": spec.summary,
        "security": _security(spec),
        "x-roles": _in_order(spec.roles),
        "parameters": _parameters(document, spec),
        "responses": {str(status): _answer(status, content) for status, content in spec.answers.items()}
        | {str(status): _named(status) for status in refusals(spec)},
    }
    if spec.description:
        operation["description"] = spec.description
    if spec.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(spec.body)}
    operation["responses"] = dict(sorted(operation["responses"].items()))
    return operation


def _in_order(roles: Roles) -> list[str]:
    return [role for role in (*Role, *KeyKind, ANONYMOUS) if role in roles]


def _security(spec: EndpointSpec) -> list[Json]:
    if spec.is_public:
        return []
    schemes: list[Json] = []
    if spec.roles & set(Role):
        schemes += [{"bearer": []}, {"cookie": [], "csrf": []} if spec.access.csrf else {"cookie": []}]
    if spec.roles & set(KeyKind):
        schemes += [{"key": []}]
    return schemes + [{kind.value: []} for kind in KeyCredential if kind in spec.access.key_credentials]


def _parameters(document: APISpec, spec: EndpointSpec) -> list[Json]:
    ids: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in PATH_ID.findall(spec.path)
    ]
    query, headers = (
        document.plugins[0].converter.schema2parameters(schema, location=location)  # type: ignore[attr-defined]
        for schema, location in ((spec.query, "query"), (spec.headers, "header"))
    )
    for parameter in query:
        if roles := spec.access.query_roles.get(parameter["name"]):
            parameter["x-roles"] = _in_order(roles)
    accepts_key = spec.writes and not spec.is_public
    return [*ids, *query, *headers, *[IDEMPOTENCY_KEY] * accepts_key]


def _answer(status: int, content: Schema | str) -> Any:
    if content == PROBLEM:
        return _named(status)
    if status >= HTTPStatus.BAD_REQUEST:
        return _problem(REFUSALS[status][0], REFUSALS[status][1], content)
    response: Json = {"description": HTTPStatus(status).phrase}
    return {**response, "content": _content(content)} if content else response


def _problem(description: str, headers: Json, schema: Any) -> Json:
    problem = {"description": description, "content": {PROBLEM: {"schema": schema}}}
    return {**problem, "headers": headers} if headers else problem


def _content(content: Schema | str) -> Json:
    if isinstance(content, Schema):
        return {JSON: {"schema": content}}
    return {media: {"schema": {"type": "object" if media == JSON else "string"}} for media in content.split(", ")}


def _named(status: int) -> str:
    return re.sub(r"\W", "", HTTPStatus(status).phrase.title())


def _add_report_variants(spec: APISpec) -> None:
    """Add the variants of a report's data, which depend on its type."""
    spec.components.schema("Report", schema=reports.ReportSchema())
    schemas = spec.components.schemas
    schemas["Report"]["oneOf"] = [_variant(spec, type_, data) for type_, data in reports.DATA.items()]


def _variant(spec: APISpec, type_: str, data: Schema) -> Json:
    shape = spec.plugins[0].converter.resolve_nested_schema(data)  # type: ignore[attr-defined]
    properties = {"type": {"const": type_}, "data": shape}
    has_required = any(field.required for field in data.fields.values())
    return {"type": "object", "properties": properties, "required": ["type", "data"] if has_required else ["type"]}


def _add_examples(rendered: Json) -> None:
    """Add an example to every parameter, body and response."""
    schemas = rendered["components"]["schemas"]
    for operation in (operation for path in rendered["paths"].values() for operation in path.values()):
        for parameter in operation["parameters"]:
            parameter.setdefault("example", example(parameter["schema"], schemas, parameter["name"]))
        responses = [response for response in operation["responses"].values() if "content" in response]
        for holder in [operation.get("requestBody", {"content": {}}), *responses]:
            for type_, content in holder["content"].items():
                if type_ == JSON:
                    content["example"] = example(content["schema"], schemas)
